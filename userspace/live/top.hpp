// SPDX-License-Identifier: GPL-2.0-or-later
// The busiest pairs, on a terminal, refreshed in place.
#pragma once

#include "actual/kernel.hpp"

#include <optional>
#include <string>

namespace statnat {

// Until q is typed, or SIGINT or SIGTERM comes. Without an interval, in seconds, it is two, or as much longer as keeps
// reading from taking more than a hundredth of a processor. Returns the exit status. Throws CannotGoOn where pairs
// count nothing.
int top(const Sockets& sockets, const Instance& instance, const std::optional<std::string>& interval);

}  // namespace statnat
