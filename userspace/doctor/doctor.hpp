// SPDX-License-Identifier: GPL-2.0-or-later
// The command that says what is wrong around this tool.
#pragma once

#include "actual/kernel.hpp"
#include "pairs/address.hpp"

#include <filesystem>
#include <ostream>
#include <string>
#include <vector>

namespace statnat {

struct DoctorOptions {
    bool json = false;
    std::vector<Address> towards{};  // outside, in place of what is usual for that family
};

// The module that is loaded; nothing where none is, or where that cannot be seen.
std::string module_version();

// Returns the exit status. `file` is read for what it says of the engine, where it can be.
int doctor(Kernel& kernel, const std::filesystem::path& file, const DoctorOptions& options, std::ostream& out);

}  // namespace statnat
