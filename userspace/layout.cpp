// SPDX-License-Identifier: GPL-2.0-or-later
// The table of each engine, rule by rule.
#include "layout.hpp"

#include <algorithm>
#include <iterator>

namespace statnat {
namespace {

constexpr std::string_view internal = "internal";

constexpr std::string_view expression_comment =
    "made by statnat-nft; stock nft does not show the rules of this chain: see statnat-nft list, statnat-nft status";
constexpr std::string_view native_comment = "made by statnat-nft, do not edit";
static_assert(expression_comment.size() <= 127, "nft's limit of a comment");

// The kernel gives a map of fixed size 4/3 as many buckets, rounded up to a power of two: 3 * 2^k wastes none.
std::uint32_t capacity(std::size_t elements) {
    std::uint32_t size = 3 * 1024;
    while (size < elements) {
        size *= 2;
    }
    return size;
}

Map make_map(std::string_view name, std::vector<Element> elements, bool counters) {
    std::sort(elements.begin(), elements.end(), [](const Element& a, const Element& b) { return a.key < b.key; });
    Map map;
    map.name = name;
    map.counters = counters;
    map.capacity = capacity(elements.size());
    map.elements = std::move(elements);
    return map;
}

template <class MakeElement>
std::vector<Element> elements(const std::vector<Pair>& pairs, MakeElement make_element) {
    std::vector<Element> made;
    made.reserve(pairs.size());
    std::transform(pairs.begin(), pairs.end(), std::back_inserter(made), make_element);
    return made;
}

Map make_int2ext(const std::vector<Pair>& pairs, bool counters) {
    const auto element = [](const Pair& pair) { return Element{pair.internal, pair.external, pair.comment, {}}; };
    return make_map(int2ext, elements(pairs, element), counters);
}

Map make_ext2int(const std::vector<Pair>& pairs, bool counters) {
    const auto element = [](const Pair& pair) { return Element{pair.external, pair.internal, "", {}}; };
    return make_map(ext2int, elements(pairs, element), counters);
}

Map make_internal(const std::vector<Pair>& pairs) {
    const auto element = [](const Pair& pair) { return Element{pair.internal, pair.internal, "", {}}; };
    Map set = make_map(internal, elements(pairs, element), false);
    set.values = false;
    return set;
}

// What a configuration makes optional inside a rule.
struct Options {
    bool exempt;
    bool rule_counter;
};

Rule make_rule(std::initializer_list<std::vector<Statement>> parts) {
    Rule rule;
    for (const auto& part : parts) {
        rule.statements.insert(rule.statements.end(), part.begin(), part.end());
    }
    return rule;
}

std::vector<Statement> unless_exempt(const Options& options) {
    if (!options.exempt) {
        return {};
    }
    return {MatchAddress{.field = Field::destination, .set = std::string(exempt_set), .inverted = true}};
}

std::vector<Statement> counted(const Options& options) {
    if (!options.rule_counter) {
        return {};
    }
    return {Counter{}};
}

std::vector<Chain> expression_chains(const Options& options) {
    const SnatStateless inbound{.field = Field::destination, .map = std::string(ext2int), .notrack = true};
    const SnatStateless decide{.field = Field::source, .map = std::string(int2ext), .untrack = true};
    const SnatStateless outbound{.field = Field::source, .map = std::string(int2ext), .untracked = true};
    const Rule decide_rule = make_rule({unless_exempt(options), {decide}});
    const std::string comment{expression_comment};
    // The gateway's own ICMP errors quote packets whose source is translated already; their host knows another address.
    return {
        {"prerouting", Hook::prerouting, ChainType::filter, raw_priority, comment,
         {make_rule({{inbound}, counted(options)}), decide_rule}},
        {"postrouting", Hook::postrouting, ChainType::filter, raw_priority, comment,
         {make_rule({{outbound}, counted(options)})}},
        {"output", Hook::output, ChainType::route, raw_priority, comment,
         {make_rule({{MatchIcmpType{3, 5}, inbound}}), make_rule({{MatchIcmpType{11, 12}, inbound}}), decide_rule}},
    };
}

std::vector<Chain> native_chains(const Options& options) {
    const SetAddress inbound{Field::destination, std::string(ext2int)};
    const SetAddress outbound{Field::source, std::string(int2ext)};
    // A lookup in int2ext would count each outbound packet twice.
    const MatchAddress has_pair{Field::source, std::string(internal)};

    const Rule decide_rule = make_rule({{has_pair}, unless_exempt(options), {Notrack{}}});
    // ct state switches conntrack on, so it is there only when something has to stay tracked.
    std::vector<Statement> obey;
    if (options.exempt) {
        obey.push_back(MatchUntracked{});
    }
    const std::string comment{native_comment};
    return {
        {"prerouting", Hook::prerouting, ChainType::filter, raw_priority, comment,
         {make_rule({{inbound, Notrack{}}, counted(options)}), decide_rule}},
        {"postrouting", Hook::postrouting, ChainType::filter, raw_priority, comment,
         {make_rule({obey, {outbound}, counted(options)})}},
        {"output", Hook::output, ChainType::route, raw_priority, comment, {decide_rule}},
    };
}

std::vector<Prefix> outermost(std::vector<Prefix> prefixes) {
    std::sort(prefixes.begin(), prefixes.end());
    std::vector<Prefix> kept;
    for (const Prefix& prefix : prefixes) {
        if (kept.empty() || kept.back().last() < prefix.first()) {
            kept.push_back(prefix);
        }
    }
    return kept;
}

template <class Value, class FamilyOf>
std::vector<Value> of_ipv4(std::vector<Value> values, FamilyOf family_of) {
    std::erase_if(values, [&](const Value& value) { return family_of(value) != Family::ipv4; });
    return values;
}

}  // namespace

Ruleset layout(const Configuration& configuration, Engine engine) {
    const auto pairs = of_ipv4(configuration.pairs, [](const Pair& pair) { return pair.internal.family; });
    const auto destinations = outermost(of_ipv4(configuration.exempt_destinations,
                                                [](const Prefix& prefix) { return prefix.address.family; }));
    if (pairs.empty()) {
        return {};
    }

    const Options options{!destinations.empty(), configuration.counters == Counters::rule};
    const bool element_counters = configuration.counters == Counters::pair;
    Table table;
    table.maps.push_back(make_int2ext(pairs, element_counters));
    table.maps.push_back(make_ext2int(pairs, element_counters));
    if (engine == Engine::native) {
        table.maps.push_back(make_internal(pairs));
    }
    if (options.exempt) {
        table.prefix_sets.push_back({std::string(exempt_set), false, destinations});
    }
    table.chains = engine == Engine::expression ? expression_chains(options) : native_chains(options);

    Ruleset ruleset;
    ruleset.push_back(std::move(table));
    return ruleset;
}

}  // namespace statnat
