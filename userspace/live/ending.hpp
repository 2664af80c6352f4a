// SPDX-License-Identifier: GPL-2.0-or-later
// How a command ends that goes on until nobody wants more: by SIGINT or SIGTERM, or when nobody reads what it writes.
#pragma once

#include <chrono>

namespace statnat {

// From its beginning to its end these signals are held back, and end nothing else.
class Ending {
public:
    // Throws CannotGoOn. `output` is a file descriptor.
    explicit Ending(int output);
    ~Ending();
    Ending(const Ending&) = delete;
    Ending& operator=(const Ending&) = delete;

    // Waits for something to read from `source` (negative: for nothing), so long at most (negative: for ever).
    // False: it is over.
    bool wait(int source, std::chrono::milliseconds most) const;

private:
    int output_;
    int signals_;
};

}  // namespace statnat
