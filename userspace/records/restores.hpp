// SPDX-License-Identifier: GPL-2.0-or-later
// How often watch has brought back what somebody took away, since the machine booted.
#pragma once

#include "records/run_file.hpp"

#include <cstdint>

namespace statnat {

class Restores {
public:
    // Without a file: nothing is kept.
    Restores() = default;
    explicit Restores(const RunDirectory& directory) : file_(directory, "restores") {}

    std::uint64_t count() const;
    void add_one() const;

private:
    RunFile file_;
};

}  // namespace statnat
