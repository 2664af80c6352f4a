// SPDX-License-Identifier: GPL-2.0-or-later
// Commands that show what the kernel has. Each returns the exit status.
#pragma once

#include "netlink/kernel.hpp"

#include <filesystem>
#include <ostream>
#include <string>

namespace statnat {

enum class ListFormat { table, json, csv };

int list(Kernel& kernel, ListFormat format, std::ostream& out);
int explain(Kernel& kernel, const std::string& address, bool json, std::ostream& out);
int status(Kernel& kernel, bool json, std::ostream& out);
// Whether all is as sync left it, in milliseconds, and if not, why: a line each.
int health(Kernel& kernel, const std::filesystem::path& file, bool json, std::ostream& out);

}  // namespace statnat
