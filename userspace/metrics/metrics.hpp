// SPDX-License-Identifier: GPL-2.0-or-later
// The command of that name.
#pragma once

#include "actual/kernel.hpp"

#include <filesystem>
#include <optional>
#include <ostream>

namespace statnat {

struct MetricsOptions {
    bool traffic = false;   // sums of what pairs count, for which all of them are read
    bool per_pair = false;  // and these themselves
    std::optional<std::filesystem::path> output{};
};

// Returns the exit status.
int metrics(Kernel& kernel, const std::filesystem::path& file, const MetricsOptions& options, std::ostream& out);

}  // namespace statnat
