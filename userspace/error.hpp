// SPDX-License-Identifier: GPL-2.0-or-later
// The one exception that means "cannot go on": thrown where the sentence is known, caught in main.
#pragma once

#include <string>

namespace statnat {

// Exit statuses; docs/statnat-nft.8 promises them.
inline constexpr int exit_done = 0;
inline constexpr int exit_refused = 1;  // by the kernel, or something was found wrong
inline constexpr int exit_usage = 2;    // bad usage or a bad configuration
inline constexpr int exit_different = 3;
inline constexpr int exit_last_good = 4;  // done, but by the configuration that worked last
inline constexpr int exit_waiting = 5;    // done, but pairs wait for the module or an interface
inline constexpr int exit_no_source = 6;  // nothing done: what keeps the pairs does not answer

struct CannotGoOn {
    std::string sentence;
    int status = exit_refused;
};

}  // namespace statnat
