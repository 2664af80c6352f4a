// SPDX-License-Identifier: GPL-2.0-or-later
// How long to start again while somebody else keeps committing.
#pragma once

#include <chrono>

namespace statnat {

class Patience {
public:
    explicit Patience(std::chrono::seconds time) : end_(std::chrono::steady_clock::now() + time) {}

    // Whether to try (again). What takes longer than that time gets a few attempts, too.
    bool lasts() { return attempts_++ < fewest || std::chrono::steady_clock::now() < end_; }

private:
    static constexpr int fewest = 3;

    std::chrono::steady_clock::time_point end_;
    int attempts_ = 0;
};

}  // namespace statnat
