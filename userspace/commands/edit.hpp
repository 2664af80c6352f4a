// SPDX-License-Identifier: GPL-2.0-or-later
// Commands that change one pair in the kernel, and note where the file says otherwise. Each returns the exit status.
#pragma once

#include "actual/kernel.hpp"

#include <filesystem>
#include <ostream>
#include <string>

namespace statnat {

// A pair as it was asked for.
struct Addition {
    std::string internal;
    std::string external;
    bool npt;
    bool inbound;  // a further external address of a host
    std::string comment;
};

int add(Kernel& kernel, const std::filesystem::path& file, const Addition& wanted, std::ostream& out);
int del(Kernel& kernel, const std::filesystem::path& file, const std::string& side, std::ostream& out);

}  // namespace statnat
