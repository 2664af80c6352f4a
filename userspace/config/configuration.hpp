// SPDX-License-Identifier: GPL-2.0-or-later
// What a configuration says, and what is wrong with one: plain values.
#pragma once

#include "config/interface_side.hpp"
#include "etcd/access.hpp"
#include "pairs/pairs.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace statnat {

enum class Engine : std::uint8_t { expression, native };

// Where packets and bytes are counted; a counter per pair costs memory on every CPU.
enum class Counters : std::uint8_t { pair, rule, off };

// Whether conntrack sees packets of pairs: not at all, or by their internal addresses in both directions.
enum class Conntrack : std::uint8_t { bypass, follow };

// What one rule has room for; where it may decide late, more destinations of one family are not to be had.
inline constexpr std::size_t most_external_interfaces = 8;
inline constexpr std::ptrdiff_t most_in_rule = 8;

// The words that a setting may have, and what they mean.
template <class Value, std::size_t count>
using Words = std::array<std::pair<std::string_view, Value>, count>;

inline constexpr Words<std::optional<Engine>, 3> engine_words{
    {{"auto", std::nullopt}, {"expression", Engine::expression}, {"native", Engine::native}}};
inline constexpr Words<Counters, 3> counters_words{
    {{"pair", Counters::pair}, {"rule", Counters::rule}, {"off", Counters::off}}};
inline constexpr Words<Conntrack, 2> conntrack_words{{{"bypass", Conntrack::bypass}, {"follow", Conntrack::follow}}};

template <class Value, std::size_t count>
std::string_view word_of(const Value& value, const Words<Value, count>& words) {
    return std::find_if(words.begin(), words.end(), [&](const auto& one) { return one.second == value; })->first;
}

// No other software is known to use this bit of marks, but Calico, which uses 16 of them.
inline constexpr std::uint32_t default_mark = 0x08000000;

// One thing wrong in one place of a file; line and column start at 1, 0 if the whole file is meant.
struct ConfigurationError {
    std::filesystem::path file;
    unsigned line = 0;
    unsigned column = 0;
    std::string sentence;

    std::string text() const;  // "FILE:LINE:COLUMN: sentence"
};

// The VRF that the inside is in. What comes for it has a bit of its mark set, by which a policy rule leads it there.
struct Vrf {
    std::string name;
    std::uint32_t mark = 0;
    std::vector<std::string> ports{};  // as this machine has them: hooks see packets by their names, too

    bool operator==(const Vrf&) const = default;
};

// One port or protocol of an address that has a pair, which the pair is not for: of what comes for an external address,
// or from an internal one.
struct Exception {
    Side side = Side::external;
    Address address;
    std::uint8_t protocol = 0;
    std::optional<std::uint16_t> port{};  // nothing: all of the protocol

    std::string service() const;  // "tcp 8443", "protocol 47"
    auto operator<=>(const Exception&) const = default;
};

// What many gateways have their pairs from.
struct Source {
    EtcdAccess etcd{};
    std::string prefix{};      // of the keys of pairs, such as "/statnat/default/"
    std::chrono::seconds stale_after{60};
    std::vector<Prefix> only{};  // external ones, of whose pairs this gateway is; none: of all

    bool operator==(const Source&) const = default;
};

// What the source has of one internal host or prefix, as texts; `objection` says why it has nothing of the kind.
struct SourcePair {
    std::string external{};
    std::vector<std::string> further{};  // more external ones, inbound only
    std::optional<bool> npt{};
    std::string comment{};
    std::string objection{};

    bool operator==(const SourcePair&) const = default;
};

// All of it at one revision, by the internal side as it is written there.
struct SourceSnapshot {
    std::int64_t revision = 0;
    std::map<std::string, SourcePair, std::less<>> pairs{};
};

// Asks a source. Throws CannotGoOn.
using AskSource = std::function<std::shared_ptr<const SourceSnapshot>(const Source&)>;

inline constexpr std::size_t most_exceptions = 16;  // each is asked for in rules of its own

struct Configuration {
    std::optional<Engine> engine;  // nothing: auto
    Counters counters = Counters::pair;
    std::vector<Prefix> exempt_destinations;
    std::vector<Prefix> only_destinations{};  // of a family none of which is named, all
    std::vector<Exception> exceptions{};    // ascending, none twice
    std::vector<std::string> external_interfaces;  // behind which the outside is; none: behind any
    std::optional<std::filesystem::path> ruleset_file;  // absolute; what nft is to load is written there
    std::optional<bool> neighbours;  // whether each sync answers for external addresses, or ceases to; nothing: neither
    bool announce = false;                 // whether routing daemons find routes to go by
    bool fail_closed = false;              // whether policy rules hold back what has not come by ours
    std::uint32_t mark = default_mark;     // the bit of packets' marks that tells them what has
    std::optional<Vrf> vrf{};              // nothing: the inside is wherever packets come from
    Conntrack conntrack = Conntrack::bypass;
    bool fast_path = false;  // whether what is only to be passed on is sent at once
    std::vector<Address> icmp_error_sources{};  // of routers inside that have no pair; one of a family, or none
    Pairs pairs;  // and what is excluded from them
    std::vector<InterfacePair> interface_pairs{};  // of which those that do not wait are among the pairs, too
    std::vector<Pair> waiting_inbound{};           // for hosts whose pair waits, and which could not answer
    std::optional<Source> source{};                // nothing: all pairs are in files
    std::int64_t source_revision = 0;              // of the pairs that come from there
    std::optional<ConfigurationError> not_for_native;  // the first pair or setting that this engine cannot have
    std::optional<ConfigurationError> not_for_instance;  // a setting that only the instance without a name can have

    // Whether postrouting may have to decide about a packet, and so must know all that prerouting does.
    bool decides_late() const { return !external_interfaces.empty() || conntrack == Conntrack::follow; }
};

// Why there cannot be such an exception; nothing if there can. While not all pairs are known, any address may have one.
std::optional<std::string> objection_to_exception(const Exception& exception, const Configuration& configuration,
                                                  bool all_pairs_known);

// What cannot stand beside a fast path; nothing if nothing does.
std::optional<std::string> objection_to_fast_path(const Configuration& configuration);

inline constexpr std::string_view fast_path_by_native =
    "fast-path by the engine \"native\": legal is it by \"expression\" or \"auto\", since stock rules do not pass "
    "packets on";

// Thrown with every error of a file and of the pairs files that it names, in reading order.
struct InvalidConfiguration {
    std::vector<ConfigurationError> errors;
};

}  // namespace statnat
