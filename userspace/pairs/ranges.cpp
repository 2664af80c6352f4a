// SPDX-License-Identifier: GPL-2.0-or-later
#include "pairs/ranges.hpp"

#include <algorithm>
#include <iterator>

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

std::vector<Range> without(const std::vector<Range>& ranges, const std::vector<Range>& gaps) {
    std::vector<Range> left;
    auto gap = gaps.begin();
    for (const Range& range : ranges) {
        std::optional<Address> at = range.first;
        while (gap != gaps.end() && gap->last < range.first) {
            ++gap;
        }
        // The last of these may go on in the next range.
        for (auto in = gap; at && in != gaps.end() && in->first <= range.last; ++in) {
            gap = in;
            if (*at < in->first) {
                left.push_back({*at, previous(in->first)});
            }
            at = in->last < range.last ? next(in->last) : std::nullopt;
        }
        if (at) {
            left.push_back({*at, range.last});
        }
    }
    return left;
}

std::vector<Range> without(const std::vector<Range>& ranges, const std::vector<Prefix>& prefixes) {
    std::vector<Range> gaps;
    std::transform(prefixes.begin(), prefixes.end(), std::back_inserter(gaps), Range::of);
    return without(ranges, merged(std::move(gaps)));
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
