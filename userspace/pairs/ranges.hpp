// SPDX-License-Identifier: GPL-2.0-or-later
// Ranges of addresses, and the fewest prefixes that hold exactly them; pure functions.
#pragma once

#include "pairs/prefix.hpp"

#include <cstddef>
#include <optional>
#include <set>
#include <vector>

namespace statnat {

// From the first to the last address, both of one family and both in it.
struct Range {
    Address first;
    Address last;

    static Range of(const Prefix& prefix) { return {prefix.first(), prefix.last()}; }
    auto operator<=>(const Range&) const = default;
};

// Ascending, none touches another.
std::vector<Range> merged(std::vector<Range> ranges);

// What is left of ranges that are merged.
std::vector<Range> within(const std::vector<Range>& ranges, const Prefix& network);
std::vector<Range> without(const std::vector<Range>& ranges, const std::set<Address>& addresses);
std::vector<Range> without(const std::vector<Range>& ranges, const std::vector<Range>& gaps);  // merged, too
std::vector<Range> without(const std::vector<Range>& ranges, const std::vector<Prefix>& prefixes);

// How many addresses are in ranges that are merged, counted no further than `most`.
std::size_t count(const std::vector<Range>& ranges, std::size_t most);

std::vector<Prefix> cover(const std::vector<Range>& ranges);

// The first address of a range or, with `end`, the one behind its last; of a range up to the last there is, nothing.
struct Boundary {
    Address address;
    bool end;
};

// What begins and ends so, in any order; nothing where a range is no prefix, or two overlap.
std::optional<std::vector<Prefix>> prefixes_between(std::vector<Boundary> boundaries, Family family);

}  // namespace statnat
