// SPDX-License-Identifier: GPL-2.0-or-later
// A table as the kernel holds it: what the layout desires, what a dump says and what the plan compares.
#pragma once

#include "config/configuration.hpp"
#include "pairs/elements.hpp"
#include "pairs/pair.hpp"
#include "ruleset/snat_stateless.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace statnat {

inline constexpr std::int32_t raw_priority = -300;
// Behind whatever may give a followed connection another address, and before what makes an entry of it.
inline constexpr std::int32_t followed_priority = 300;
inline constexpr std::int32_t guard_priority = 99;  // before rules of type nat at srcnat, 100

// ip daddr set ip daddr map @MAP (ip6 in the other family, here and below): what the native engine has instead.
struct SetAddress {
    Field field;
    std::string map;
    bool operator==(const SetAddress&) const = default;
};

// ip daddr [!=] @SET
struct MatchAddress {
    Field field;
    std::string set;
    bool inverted = false;
    bool operator==(const MatchAddress&) const = default;
};

// ip daddr ADDRESS
struct MatchHost {
    Field field;
    Address address;
    bool operator==(const MatchHost&) const = default;
};

// tcp dport PORT, or meta l4proto PROTOCOL
struct MatchService {
    std::uint8_t protocol;
    Field field;
    std::optional<std::uint16_t> port{};
    bool operator==(const MatchService&) const = default;
};

// @th,BIT,BITS VALUE: bytes behind the beginning of an ICMP error, where the quote is
struct MatchBytes {
    std::uint32_t offset;
    std::vector<std::uint8_t> bytes;
    bool operator==(const MatchBytes&) const = default;
};

// meta protocol vmap @MAP: on with the rule as long as the table of that map stands
struct AskStanding {
    std::string map;
    bool operator==(const AskStanding&) const = default;
};

// ip daddr != PREFIX
struct MatchOutside {
    Field field;
    Prefix prefix;
    bool operator==(const MatchOutside&) const = default;
};

// fib daddr type {unicast | local}
struct MatchAddressType {
    enum class Type : std::uint32_t { unicast = 1, local = 2 };  // as rtnetlink numbers them
    Field field;
    Type type;
    bool operator==(const MatchAddressType&) const = default;
};

// iif != 0, of packets that this machine passes on; iif 0, of those that it sends itself
struct MatchForwarded {
    bool forwarded = true;
    bool operator==(const MatchForwarded&) const = default;
};

// iifname "NAME", oifname "NAME", or by where a packet will be sent: fib daddr . mark oifname "NAME"
struct MatchInterface {
    enum class Way : std::uint8_t { in, out, route };
    Way way;
    std::string name;  // with an asterisk behind it: of all names that begin so
    bool operator==(const MatchInterface&) const = default;
};

// icmp type FIRST-LAST, icmpv6 type FIRST-LAST
struct MatchIcmpType {
    std::uint8_t first;
    std::uint8_t last;
    bool operator==(const MatchIcmpType&) const = default;
};

// ip frag-off & 0x1fff == 0: a whole packet or a first fragment, of IPv4
struct MatchBeginning {
    bool operator==(const MatchBeginning&) const = default;
};

// ct state untracked
struct MatchUntracked {
    bool operator==(const MatchUntracked&) const = default;
};

// notrack
struct Notrack {
    bool operator==(const Notrack&) const = default;
};

// meta mark set meta mark | BITS
struct SetMark {
    std::uint32_t bits;
    bool operator==(const SetMark&) const = default;
};

// meta mark set meta mark & ~BITS
struct ClearMark {
    std::uint32_t bits;
    bool operator==(const ClearMark&) const = default;
};

// meta mark & BITS == BITS
struct MatchMark {
    std::uint32_t bits;
    bool operator==(const MatchMark&) const = default;
};

// snat to ip saddr: in a chain of type nat, so that no other rule has a say in it
struct KeepSource {
    bool operator==(const KeepSource&) const = default;
};

// drop
struct Drop {
    bool operator==(const Drop&) const = default;
};

// accept, which ends this chain alone
struct Accept {
    bool operator==(const Accept&) const = default;
};

// counter
struct Counter {
    bool operator==(const Counter&) const = default;
};

// Anything that the tool does not write; never equal to what it does.
struct Foreign {
    std::string expression;
    bool operator==(const Foreign&) const = default;
};

using Statement = std::variant<SnatStateless, SetAddress, MatchAddress, MatchHost, MatchService, MatchBytes,
                               AskStanding, MatchOutside, MatchAddressType, MatchForwarded, MatchInterface,
                               MatchIcmpType, MatchBeginning, MatchUntracked, Notrack, SetMark, ClearMark, MatchMark,
                               KeepSource, Drop, Accept, Counter, Foreign>;

// What snat_stateless counts beside what is translated as most packets are.
enum class Reason : std::uint8_t {
    malformed, no_memory, no_counterpart, policy, redirect,  // dropped
    tracked, exempt, local, border,                          // left alone
    error, quote,                                            // translated
    shortcut, detour,                                        // of a fast path
};
inline constexpr std::size_t reason_count = 13;
using Counts = std::array<std::uint64_t, reason_count>;  // packets, by reason

struct Rule {
    std::vector<Statement> statements;
    // Of this moment, in a dump only; not part of what is compared.
    Traffic traffic;            // of the rule's counter
    std::uint64_t dropped = 0;  // packets that snat_stateless could not translate whole
    std::optional<Counts> counts{};  // nothing: its module does not tell

    bool operator==(const Rule& other) const { return statements == other.statements; }
};

// Without what its maps are within, which follows from the pairs; and the same rule but for that.
Rule unbounded(Rule rule);
bool same_but_bounds(const Rule& one, const Rule& other);

// The same rule, whose maps are asked for as many addresses as those of the other, or more.
bool covers(const Rule& one, const Rule& other);

// As nft(8) would write them in a table of `family`.
std::string text(const Statement& statement, Family family);
std::string text(const Rule& rule, Family family);

enum class Hook : std::uint8_t { prerouting, input, forward, output, postrouting };
enum class ChainType : std::uint8_t { filter, route, nat, other };

// As nft and the kernel call it.
constexpr std::string_view name(ChainType type) {
    return type == ChainType::route ? "route" : type == ChainType::nat ? "nat" : "filter";
}

struct Chain {
    std::string name;
    std::optional<Hook> hook;  // nothing: a regular chain (never ours)
    ChainType type = ChainType::filter;
    std::int32_t priority = raw_priority;
    std::string comment;
    std::vector<Rule> rules;

    bool operator==(const Chain&) const = default;
};

// A map (or, without values, a set) of hosts or of prefixes of one length, whose host bits are 0.
struct Map {
    std::string name;
    bool values = true;         // false: a set
    bool counters = false;      // a counter per element
    std::uint32_t capacity = 0; // the kernel's `size`, in elements; 0: none
    bool foreign = false;       // made by somebody else in a way that the tool never would; must be replaced
    Elements elements{};        // ascending by key
};

// A set of destinations, as intervals.
struct PrefixSet {
    std::string name;
    bool foreign = false;
    std::vector<Prefix> prefixes;  // ascending, none inside another
    bool operator==(const PrefixSet&) const = default;
};

// type ether_type : verdict; elements = { ip : continue }
struct StandingMap {
    std::string name;
    bool foreign = false;
    bool operator==(const StandingMap&) const = default;
};

// Absence is a value too: a family without pairs has no table.
struct Table {
    Family family = Family::ipv4;
    std::vector<Map> maps;
    std::vector<PrefixSet> prefix_sets;
    std::vector<StandingMap> standing_maps;
    std::vector<Chain> chains;
    bool dormant = false;  // switched off by somebody else; must be replaced
};

// The map, set or chain of a name; null: none.
template <class Named>
const Named* find_named(const std::vector<Named>& all, std::string_view name) {
    const auto found = std::find_if(all.begin(), all.end(), [&](const Named& one) { return one.name == name; });
    return found == all.end() ? nullptr : &*found;
}

std::string table_text(Family family, std::string_view table);  // "ip statnat"

using Ruleset = std::vector<Table>;  // at most one per family, ascending

const Table* find(const Ruleset& ruleset, Family family);  // null: none

// Takes what the maps in rules are within as far as it is in those of an excerpt of the ruleset, whose maps hold more
// than can be seen; false: its rules do not tell.
bool widen(Ruleset& ruleset, const Ruleset& excerpt);

bool uses_expression(const std::vector<Rule>& rules);

// Which half of which pairs a map holds, as its name says: int2ext, ext2int_24, int2ext_48_npt, ext2int_inbound.
struct MapRole {
    Side key = Side::internal;
    std::uint8_t length = 0;
    bool npt = false;
    bool inbound = false;

    static std::optional<MapRole> of(const Map& map, Family family);
    MapReference reference(Family family) const;
    bool tells_pairs() const { return key == Side::internal || inbound; }  // all of them, and not their other half
    // Nothing for a hole, whose value is its key, and which by the internal side is what is excluded; the comment is
    // where it tells pairs.
    std::optional<Pair> pair(const Element& element) const;

    bool operator==(const MapRole&) const = default;
};

const Map* find(const Table& table, const MapRole& role);  // null: none

inline constexpr std::string_view int2ext = "int2ext";
inline constexpr std::string_view ext2int = "ext2int";
inline constexpr std::string_view exempt_set = "exempt";
inline constexpr std::string_view only_set = "only";
inline constexpr std::string_view internal_set = "internal";
inline constexpr std::string_view standing_map = "standing";

}  // namespace statnat
