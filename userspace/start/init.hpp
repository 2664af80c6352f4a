// SPDX-License-Identifier: GPL-2.0-or-later
// The command that begins a configuration.
#pragma once

#include "actual/kernel.hpp"

#include <filesystem>
#include <ostream>

namespace statnat {

// Writes `file`, which must not be there yet, and says what to do next on standard error; where it is "-", only writes
// to `out`. Returns the exit status.
int init(Kernel& kernel, const std::filesystem::path& file, std::ostream& out);

}  // namespace statnat
