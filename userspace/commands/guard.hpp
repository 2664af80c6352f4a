// SPDX-License-Identifier: GPL-2.0-or-later
// Keeps what sync makes as it is, whoever takes it away.
#pragma once

#include "actual/kernel.hpp"
#include "commands/desired.hpp"
#include "progress.hpp"

#include <ostream>

namespace statnat {

// Syncs, and again whenever somebody else has changed our tables: at once, but ever more slowly beside somebody who
// does it all the time. What the tool itself changes, such as by `clear`, stays so. Tells systemd (sd_notify(3)) that
// it is ready and alive. Ends by a signal only. Throws what the first sync does.
[[noreturn]] void watch(Kernel& kernel, const Path& file, Progress& progress, std::ostream& out);

}  // namespace statnat
