// SPDX-License-Identifier: GPL-2.0-or-later
// The commands: each reads what it needs, does one thing, and returns the exit status.
#pragma once

#include "config/configuration.hpp"
#include "netlink/kernel.hpp"

#include <filesystem>
#include <optional>
#include <ostream>
#include <string>

namespace statnat {

using Path = std::filesystem::path;

// Nothing: the module where it is to be had.
using EngineChoice = std::optional<Engine>;

enum class ListFormat { table, json, csv };

// Unless `force`, a sync that looks like the loss of a configuration is refused.
int sync(Kernel& kernel, const Path& file, const std::optional<EngineChoice>& engine, bool force, Progress& progress,
         std::ostream& out);
int check(const Path& file, Progress& progress, std::ostream& out);
int diff(Kernel& kernel, const Path& file, const std::optional<EngineChoice>& engine, bool exit_code,
         Progress& progress, std::ostream& out);
int list(Kernel& kernel, ListFormat format, std::ostream& out);
int add(Kernel& kernel, const Path& file, const std::string& internal, const std::string& external, bool npt,
        const std::string& comment, std::ostream& out);
int del(Kernel& kernel, const Path& file, const std::string& side, std::ostream& out);
int explain(Kernel& kernel, const std::string& address, bool json, std::ostream& out);
int status(Kernel& kernel, std::ostream& out);
int clear(Kernel& kernel, std::ostream& out);

}  // namespace statnat
