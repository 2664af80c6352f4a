// SPDX-License-Identifier: GPL-2.0-or-later
// Tells what becomes of pairs, as it happens.
#pragma once

#include "actual/kernel.hpp"

#include <ostream>

namespace statnat {

// Until SIGINT or SIGTERM comes, or nobody reads standard output, which `out` is. Returns the exit status.
int monitor(const Sockets& sockets, const Instance& instance, bool json, std::ostream& out);

}  // namespace statnat
