// SPDX-License-Identifier: GPL-2.0-or-later
// How much goes through pairs, by two readings of their counters; pure functions.
#pragma once

#include "ruleset/inventory.hpp"

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace statnat {

// Of a second.
struct Rate {
    double packets = 0;
    double bytes = 0;

    Rate& operator+=(const Rate& rate);
};

struct BusyPair {
    Pair pair;
    Rate outbound;
    Rate inbound;
};

// Of pairs that are in both, ascending by internal address.
std::vector<BusyPair> rates(const std::vector<CountedPair>& before, const std::vector<CountedPair>& now,
                            std::chrono::duration<double> between);

// A line of titles and one for each of the first `most` pairs, those with the most bytes first.
std::vector<std::string> busiest(std::vector<BusyPair> pairs, std::size_t most);

// "out 1,234 packets/s 56,789 bytes/s, in 0 packets/s 0 bytes/s", of all together.
std::string sum_text(const std::vector<BusyPair>& pairs);

}  // namespace statnat
