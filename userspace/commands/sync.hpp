// SPDX-License-Identifier: GPL-2.0-or-later
// Commands that are about a configuration as a whole. Each returns the exit status.
#pragma once

#include "commands/engine.hpp"
#include "netlink/kernel.hpp"
#include "progress.hpp"

#include <filesystem>
#include <optional>
#include <ostream>

namespace statnat {

using Path = std::filesystem::path;

// Unless `force`, a sync that looks like the loss of a configuration is refused.
int sync(Kernel& kernel, const Path& file, const std::optional<EngineChoice>& engine, bool force, Progress& progress,
         std::ostream& out);
int check(const Path& file, Progress& progress, std::ostream& out);
int diff(Kernel& kernel, const Path& file, const std::optional<EngineChoice>& engine, bool exit_code,
         Progress& progress, std::ostream& out);
int clear(Kernel& kernel, std::ostream& out);

}  // namespace statnat
