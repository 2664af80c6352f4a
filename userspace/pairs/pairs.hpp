// SPDX-License-Identifier: GPL-2.0-or-later
// Many pairs, packed, and found by either side.
#pragma once

#include "pairs/elements.hpp"
#include "pairs/pair.hpp"

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <map>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

namespace statnat {

// What pairs have in common that share two maps, one for each direction; or one map, if they are inbound.
struct Tier {
    Family family = Family::ipv4;
    std::uint8_t length = 0;
    bool npt = false;
    bool inbound = false;

    static Tier of(const Pair& pair) {
        return {pair.internal.address.family, pair.external.length, pair.npt, pair.inbound};
    }
    bool is_of_hosts() const { return length == full_length(family); }

    // The longest first, since it overrides the others.
    bool operator<(const Tier& tier) const {
        return std::tie(family, tier.length, npt, inbound) < std::tie(tier.family, length, tier.npt, tier.inbound);
    }
    bool operator==(const Tier&) const = default;
};

// Goes through the pairs of several tiers, ascending by internal prefix, those that are inbound behind the others.
class PairIterator {
public:
    using value_type = Pair;
    using difference_type = std::ptrdiff_t;

    struct Part {
        Tier tier;
        Elements by_internal;  // sorted; an element that is its own value is a hole, and no pair
    };

    explicit PairIterator(const std::vector<Part>& parts);
    Pair operator*() const;
    PairIterator& operator++();
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t) const { return cursors_.empty(); }

private:
    struct Cursor {
        Part part;
        std::size_t index = 0;

        std::pair<Prefix, bool> place() const {
            return {{part.by_internal.key(index), part.tier.length}, part.tier.inbound};
        }
        bool settle();
    };

    void choose();

    std::vector<Cursor> cursors_;  // of parts that have more
    std::size_t next_ = 0;
};

// In the order in which they came until they are sorted; all but that and their number needs them sorted.
class Pairs {
public:
    // The pairs of one tier, by either side; comments are beside the internal one, which inbound pairs may share.
    struct Halves {
        Elements by_internal;
        Elements by_external;

        const Elements& by(Side side) const { return side == Side::internal ? by_internal : by_external; }
    };

    Pairs() = default;
    Pairs(std::initializer_list<Pair> pairs) : Pairs(std::vector<Pair>(pairs)) {}
    explicit Pairs(const std::vector<Pair>& pairs);

    std::size_t size() const;
    bool empty() const { return tiers_.empty(); }

    // Makes room for so many pairs.
    void expect(std::size_t pairs) { expected_ += pairs; }
    void push_back(const Pair& pair);
    void push_back(const Tier& tier, const Address& internal, const Address& external, const Comment& comment = {}) {
        // Most are IPv4 hosts, whose tier is the first of all.
        const bool first = !tiers_.empty() && tiers_.begin()->first == tier;
        Elements& half = first ? tiers_.begin()->second.by_internal : by_internal(tier);
        half.push_back(internal, external);
        if (!comment.empty()) {
            half.set_comment(half.size() - 1, comment);
        }
    }
    void sort();

    const std::map<Tier, Halves>& tiers() const { return tiers_; }
    std::optional<Pair> find(const Prefix& prefix, Side side) const;
    // The longest pair that covers a prefix on one side, and is no longer than that.
    std::optional<Pair> around(const Prefix& prefix, Side side, std::uint8_t longest) const;

    // Leaves an internal prefix alone that a shorter pair covers. It has a tier, of which there may be no pairs.
    void exclude(const Prefix& internal);
    const std::vector<Prefix>& excluded() const { return excluded_; }  // ascending
    // The longest of them that covers an address.
    std::optional<Prefix> exclusion(const Address& address) const;

    // Those that are inbound for a host which has no pair to answer by.
    std::vector<Pair> unanswered() const;

    // With a host's pair go those that are inbound for it.
    Pairs without(const Pair& pair) const;
    // Two parts, whose memory is that of the whole. Nothing is excluded from hosts.
    Pairs hosts() const { return of_tiers(true); }
    Pairs prefixes() const { return of_tiers(false); }

    bool operator==(const Pairs& pairs) const;

    PairIterator begin() const;  // ascending by internal prefix
    std::default_sentinel_t end() const { return {}; }

private:
    Elements& by_internal(const Tier& tier);
    Pairs of_tiers(bool of_hosts) const;

    std::map<Tier, Halves> tiers_;
    std::vector<Prefix> excluded_;
    std::size_t expected_ = 0;
};

}  // namespace statnat
