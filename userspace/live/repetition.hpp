// SPDX-License-Identifier: GPL-2.0-or-later
// The same report again and again.
#pragma once

#include <functional>
#include <ostream>

namespace statnat {

// Prints to standard output what `print` does, in the same place where that is a terminal, until SIGINT or SIGTERM
// comes or nobody reads it: every second, or as much less often as keeps it below a tenth of a processor. Returns the
// exit status.
int repeat(const std::function<int(std::ostream&)>& print);

}  // namespace statnat
