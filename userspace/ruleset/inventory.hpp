// SPDX-License-Identifier: GPL-2.0-or-later
// From a ruleset back to what it stands for: the inverse of the layout; pure functions, no I/O.
#pragma once

#include "config/configuration.hpp"
#include "ruleset/ruleset.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace statnat {

// The destinations on the way to which packets keep their source, or the only ones on the way to which they do not: of
// a set, or inside a rule.
std::vector<Prefix> exempt_destinations(const Table& table);
std::vector<Prefix> only_destinations(const Table& table);

// What no pair is for.
std::vector<Exception> exceptions(const Table& table);

// The interfaces behind which the outside is; none: behind any.
std::vector<std::string> external_interfaces(const Table& table);

// The VRF that a table's rules take the inside to be in.
std::optional<Vrf> vrf_of(const Table& table);

// The bit by which a table's rules tell packets that have come by them; 0: none.
std::uint32_t mark_of(const Table& table);

// The source of errors of routers without a pair.
std::optional<Address> icmp_error_source(const Table& table);

// Whether conntrack keeps the packets that a table's rules translate.
Conntrack conntrack_of(const Table& table);

// Whether a table's rules send at once what is only to be passed on.
bool has_fast_path(const Table& table);

// A pair as the kernel holds it; without traffic where counters are not per pair, or that way is none.
struct CountedPair {
    Pair pair;
    std::optional<Traffic> outbound;
    std::optional<Traffic> inbound;
};

// The counter of one rule.
struct CountedRule {
    Family family;
    std::string chain;
    std::string text;
    Traffic traffic;
};

// What the maps of one length hold.
struct Occupancy {
    Family family;
    std::uint8_t length;
    bool npt;
    bool inbound;
    std::uint64_t pairs = 0;
    std::uint64_t capacity = 0;  // pairs that fit without replacing a map; 0: no limit
};

struct Inventory {
    std::optional<Engine> engine;  // nothing: no rule translates
    Counters counters = Counters::pair;
    std::vector<Prefix> exempt_destinations;
    std::vector<Prefix> only_destinations{};
    std::vector<Exception> exceptions{};
    std::vector<std::string> external_interfaces;
    std::uint32_t mark = 0;  // of what has come by the rules; 0: they do not mark it
    std::optional<Vrf> vrf{};  // that the inside is in
    Conntrack conntrack = Conntrack::bypass;
    bool fast_path = false;
    std::vector<Address> icmp_error_sources{};
    Pairs pairs;
    std::vector<Family> tables;          // ascending
    std::vector<Occupancy> occupancies;  // of each table in turn, as it has its maps
    std::vector<CountedRule> rules;      // those with a counter
    std::uint64_t dropped = 0;

    bool has_table(Family family) const;
    // The configuration that would desire this.
    Configuration configuration() const;
};

Inventory inventory(const Ruleset& ruleset);

// Ascending by internal address, so IPv4 comes first.
std::vector<CountedPair> counted_pairs(const Ruleset& ruleset);

}  // namespace statnat
