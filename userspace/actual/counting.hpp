// SPDX-License-Identifier: GPL-2.0-or-later
// The counters of elements that are known, asked for one by one: a dump of all would be quadratic in the kernel.
#pragma once

#include "netlink/netlink.hpp"
#include "ruleset/plan.hpp"

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace statnat {

// All elements of our maps that have counters.
std::vector<Selection> all_counted(const Ruleset& ruleset);

class Counting {
public:
    // Calls `after_some` with how many have come, after a few at a time.
    Counting(Netlink& netlink, std::string table, std::function<void(std::size_t)> after_some)
        : netlink_(netlink), table_(std::move(table)), after_some_(std::move(after_some)) {}

    // Completes those of some elements; false: the kernel does not have one of them.
    bool read(Ruleset& ruleset, const std::vector<Selection>& selections);

private:
    bool read(Family family, Map& map, std::span<const std::size_t> elements);

    Netlink& netlink_;
    std::string table_;
    std::function<void(std::size_t)> after_some_;
    std::size_t count_ = 0;
};

}  // namespace statnat
