// SPDX-License-Identifier: GPL-2.0-or-later
// What this process has cost so far.
#pragma once

#include <chrono>
#include <ctime>

namespace statnat {

using Seconds = std::chrono::duration<double>;

inline Seconds processor_time() {
    timespec spent{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
    return std::chrono::seconds(spent.tv_sec) + std::chrono::nanoseconds(spent.tv_nsec);
}

}  // namespace statnat
