// SPDX-License-Identifier: GPL-2.0-or-later
// What holds packets of pairs back while the rules are gone: policy rules and a routing table that they ask, which no
// flush of rulesets takes away. Values and pure functions.
//
//     1: from all fwmark MARK/MARK goto 5         what has come by our rules, whatever they made of it
//     1: from all iif lo goto 5                   what this machine sends itself
//     2: from all lookup 83                       what goes to an external address leaves by a device that drops it
//     3: from all to EXEMPT goto 5                as with the rules
//     4: from INTERNAL blackhole
//     5: from all nop                             go on, as if there were none of these
//
//     filter on wan0: drop fwmark MARK/MARK       what has come by our rules in prerouting and not in postrouting
//
// As long as the rules are there, packets pass by the first line, however many others there are. So does the question
// of rp_filter about where their source is, if it has their mark (src_valid_mark): else it would be that of a packet
// from inside.
#pragma once

#include "config/configuration.hpp"
#include "pairs/prefix.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace statnat {

inline constexpr const char* src_valid_mark = "net/ipv4/conf/all/src_valid_mark";

// Where internal addresses are in more prefixes than that, these are widened.
inline constexpr std::size_t most_sources = 256;

// By its priority, which tells what it does.
enum class Station : std::uint8_t { pass = 1, inbound = 2, exempt = 3, outbound = 4, end = 5 };

struct PolicyRule {
    Family family = Family::ipv4;
    Station station = Station::end;
    std::uint32_t mark = 0;          // of Station::pass; 0: what this machine sends itself
    std::optional<Prefix> prefix{};  // of the destination or the source

    bool holds_back() const { return station == Station::inbound || station == Station::outbound; }
    std::string text() const;
    auto operator<=>(const PolicyRule&) const = default;
};

// Behind all hooks of an external interface, where there are any.
struct Filter {
    std::string interface;
    std::uint32_t mark = 0;

    std::string text() const;
    auto operator<=>(const Filter&) const = default;
};

struct Fence {
    std::set<Filter> filters{};
    std::set<PolicyRule> rules{};
    std::set<Prefix> routes{};     // of the table that is asked
    bool asks_with_marks = false;  // src_valid_mark; that it may be so without us is no part of a fence

    bool empty() const { return rules.empty() && routes.empty() && filters.empty(); }
    bool operator==(const Fence&) const = default;
};

// What the pairs of a configuration ask for, on a machine with these interfaces; of families without pairs nothing.
Fence fence(const Configuration& configuration, const std::vector<std::string>& interfaces = {});

// "policy rule 4: from 10.0.0.2/31 blackhole", a line for each part, which are the same for the same parts.
std::vector<std::string> lines(const Fence& fence);

// What it takes to make it as it is wanted, as `diff` prints that.
std::vector<std::string> changes(const Fence& wanted, const Fence& there);

// The same, but for what holds back more than is wanted, as add and del leave it.
std::vector<std::string> breaches(const Fence& wanted, const Fence& there);

// What is in one and not in the other.
Fence without(const Fence& one, const Fence& other);

// Both, in the fewest parts.
Fence joined(const Fence& one, const Fence& other);

}  // namespace statnat
