// SPDX-License-Identifier: GPL-2.0-or-later
#include "pairs/ranges.hpp"

#include <algorithm>

namespace statnat {
namespace {

// The address before `address`, which is not the first of all.
Address previous(Address address) {
    for (std::size_t i = address.size(); i-- > 0;) {
        if (address.bytes[i]-- != 0) {
            break;
        }
    }
    return address;
}

// What is left and right of a gap, where anything is.
void split(const Range& range, const Range& gap, std::vector<Range>& left) {
    if (range.first < gap.first) {
        left.push_back({range.first, std::min(range.last, previous(gap.first))});
    }
    if (gap.last < range.last) {
        left.push_back({std::max(range.first, *next(gap.last)), range.last});
    }
}

bool touch(const Range& one, const Range& after) {
    const auto behind = next(one.last);
    return one.last.family == after.first.family && (!behind || after.first <= *behind);
}

Prefix longest_step(const Range& range) {
    std::uint8_t length = full_length(range.first.family);
    while (length > 0) {
        const Prefix wider = Prefix::of(range.first, static_cast<std::uint8_t>(length - 1));
        if (wider.first() != range.first || wider.last() > range.last) {
            break;
        }
        --length;
    }
    return Prefix::of(range.first, length);
}

}  // namespace

std::vector<Range> merged(std::vector<Range> ranges) {
    std::sort(ranges.begin(), ranges.end());
    std::vector<Range> all;
    for (const Range& range : ranges) {
        if (!all.empty() && touch(all.back(), range)) {
            all.back().last = std::max(all.back().last, range.last);
        } else {
            all.push_back(range);
        }
    }
    return all;
}

std::vector<Range> within(const std::vector<Range>& ranges, const Prefix& network) {
    const Range whole = Range::of(network);
    std::vector<Range> inside;
    auto range = std::lower_bound(ranges.begin(), ranges.end(), whole.first,
                                  [](const Range& one, const Address& first) { return one.last < first; });
    for (; range != ranges.end() && range->first <= whole.last; ++range) {
        inside.push_back({std::max(range->first, whole.first), std::min(range->last, whole.last)});
    }
    return inside;
}

std::vector<Range> without(const std::vector<Range>& ranges, const std::set<Address>& addresses) {
    std::vector<Range> left;
    for (Range range : ranges) {
        for (auto gap = addresses.lower_bound(range.first); gap != addresses.end() && *gap <= range.last; ++gap) {
            if (range.first < *gap) {
                left.push_back({range.first, previous(*gap)});
            }
            if (*gap == range.last) {
                range.first = *gap;
                break;
            }
            range.first = *next(*gap);
        }
        if (!addresses.contains(range.first)) {
            left.push_back(range);
        }
    }
    return left;
}

std::vector<Range> without(const std::vector<Range>& ranges, const std::vector<Prefix>& prefixes) {
    std::vector<Range> left = ranges;
    for (const Prefix& prefix : prefixes) {
        const Range gap = Range::of(prefix);
        std::vector<Range> rest;
        for (const Range& range : left) {
            if (range.last < gap.first || gap.last < range.first) {
                rest.push_back(range);
            } else {
                split(range, gap, rest);
            }
        }
        left = std::move(rest);
    }
    return left;
}

std::size_t count(const std::vector<Range>& ranges, std::size_t most) {
    std::size_t number = 0;
    for (const Range& range : ranges) {
        for (std::optional<Address> at = range.first; at && *at <= range.last; at = next(*at)) {
            if (++number > most) {
                return number;
            }
        }
    }
    return number;
}

std::vector<Prefix> cover(const std::vector<Range>& ranges) {
    std::vector<Prefix> prefixes;
    for (const Range& range : ranges) {
        for (std::optional<Address> at = range.first; at && *at <= range.last;) {
            prefixes.push_back(longest_step({*at, range.last}));
            at = next(prefixes.back().last());
        }
    }
    return prefixes;
}

std::optional<std::vector<Prefix>> prefixes_between(std::vector<Boundary> boundaries, Family family) {
    // Where one range ends another may begin: the end comes first.
    std::sort(boundaries.begin(), boundaries.end(), [](const Boundary& a, const Boundary& b) {
        return a.address != b.address ? a.address < b.address : a.end && !b.end;
    });
    std::vector<Range> ranges;
    bool open = false;
    for (const Boundary& boundary : boundaries) {
        if (!boundary.end) {
            if (open) {
                return {};
            }
            ranges.push_back({boundary.address, Prefix{{family, {}}, 0}.last()});
        } else if (open) {
            ranges.back().last = previous(boundary.address);
        }
        open = !boundary.end;
    }
    std::vector<Prefix> prefixes;
    for (const Range& range : ranges) {
        const Prefix prefix = longest_step(range);
        if (prefix.last() != range.last) {
            return {};
        }
        prefixes.push_back(prefix);
    }
    return prefixes;
}

}  // namespace statnat
