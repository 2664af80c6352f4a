// SPDX-License-Identifier: GPL-2.0-or-later
// Pairs inside pairs: which of them cannot stand beside each other, and what the others leave over; pure functions.
//
// A longer prefix overrides a shorter one that covers it, on either side. Pairs go together if no address is on both
// sides, and if whatever an internal address becomes is translated back to it:
//
//     10.1.0.0/24 = 203.0.113.0/24       10.1.0.5 has two externals, and uses the longer one. Nobody is behind
//     10.1.0.5    = 198.51.100.5         203.0.113.5 any longer: a hole.
//
//     10.1.0.0/24 = 203.0.113.0/24       203.0.113.5 has two internals, which both use it: refused,
//     10.9.0.5    = 203.0.113.5          unless another pair overrides 10.1.0.5.
//
// What is excluded overrides as a pair does, but has no external side at all. An inbound pair has no internal side to
// collide with: its host has another pair, or several.
#pragma once

#include "pairs/pairs.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace statnat {

// A pair as far as it is known, or what is excluded.
struct Candidate {
    std::optional<Prefix> internal;
    std::optional<Prefix> external;
    bool npt;
    bool excluded = false;
    bool inbound = false;

    const std::optional<Prefix>& side(Side side) const { return side == Side::internal ? internal : external; }
};

// Those, and behind them what is excluded.
std::vector<Candidate> candidates(const Pairs& pairs);

// Two pairs, by their numbers, of which the later one cannot stand beside the earlier one.
struct Collision {
    enum class Why : std::uint8_t {
        same,       // one prefix twice
        both_sides, // one covers the other, and they are on different sides
        shared,     // two internals reach one external: `internal` and that of the inner pair
        scattered,  // npt translates the inner one to no single prefix
    };
    Why why;
    std::size_t later;
    Side later_side;
    std::size_t earlier;
    Side earlier_side;
    Prefix internal{};
};

// An external prefix that has nobody behind it, because the pair that overrides its internal one has another.
struct Hole {
    Prefix external;
    std::size_t overriding;
};

struct Overlaps {
    std::vector<Collision> collisions;
    std::vector<Hole> holes;
};

Overlaps overlaps(const std::vector<Candidate>& candidates);

// Both, of pairs; at once where all of a family have one length.
bool collide(const Pairs& pairs);

// The external prefixes of all holes, by the tier of the pair that overrides.
using Holes = std::map<Tier, std::vector<Prefix>>;

Holes holes(const Pairs& pairs);

// Those of what is excluded alone.
std::vector<Prefix> externals_excluded(const Pairs& pairs);

}  // namespace statnat
