// SPDX-License-Identifier: GPL-2.0-or-later
// Commands that show what the kernel has. Each returns the exit status.
#pragma once

#include "actual/kernel.hpp"
#include "reports/choice.hpp"

#include <filesystem>
#include <ostream>
#include <string>
#include <vector>

namespace statnat {

enum class ListFormat { table, json, csv };

int list(Kernel& kernel, const Choice& choice, ListFormat format, std::ostream& out);
// Throws CannotGoOn for what is none.
Address read_address(const std::string& text);
int explain(Kernel& kernel, const std::string& address, bool json, std::ostream& out);
int status(Kernel& kernel, bool json, std::ostream& out);
// `explained`: with a sentence for each number.
int stats(Kernel& kernel, bool json, bool explained, std::ostream& out);
// Why not all is as sync left it, in sentences; none: all is.
std::vector<std::string> ailments(Kernel& kernel, const std::filesystem::path& file);
// The same as a line each, in milliseconds.
int health(Kernel& kernel, const std::filesystem::path& file, bool json, std::ostream& out);

}  // namespace statnat
