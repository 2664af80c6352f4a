// SPDX-License-Identifier: GPL-2.0-or-later
// The table of each engine, rule by rule.
#include "layout.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

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

// The ICMP errors that quote a packet (RFC 792, RFC 4443).
std::vector<MatchIcmpType> icmp_errors(Family family) {
    if (family == Family::ipv4) {
        return {{3, 5}, {11, 12}};
    }
    return {{1, 4}};
}

std::vector<Chain> expression_chains(Family family, const Options& options) {
    const SnatStateless inbound{.field = Field::destination, .maps = {{std::string(ext2int)}}, .notrack = true};
    const SnatStateless decide{.field = Field::source, .maps = {{std::string(int2ext)}}, .untrack = true};
    const SnatStateless outbound{.field = Field::source, .maps = {{std::string(int2ext)}}, .untracked = true};
    const Rule decide_rule = make_rule({unless_exempt(options), {decide}});
    // The gateway's own ICMP errors quote packets whose source is translated already; their host knows another address.
    std::vector<Rule> output;
    for (const MatchIcmpType& error : icmp_errors(family)) {
        output.push_back(make_rule({{error, inbound}}));
    }
    output.push_back(decide_rule);
    const std::string comment{expression_comment};
    return {
        {"prerouting", Hook::prerouting, ChainType::filter, raw_priority, comment,
         {make_rule({{inbound}, counted(options)}), decide_rule}},
        {"postrouting", Hook::postrouting, ChainType::filter, raw_priority, comment,
         {make_rule({{outbound}, counted(options)})}},
        {"output", Hook::output, ChainType::route, raw_priority, comment, output},
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

std::vector<Pair> pairs_of(Family family, const Configuration& configuration) {
    std::vector<Pair> pairs = configuration.pairs;
    std::erase_if(pairs, [&](const Pair& pair) { return pair.internal.family != family; });
    return pairs;
}

std::vector<Prefix> destinations_of(Family family, const Configuration& configuration) {
    std::vector<Prefix> destinations = configuration.exempt_destinations;
    std::erase_if(destinations, [&](const Prefix& prefix) { return prefix.address.family != family; });
    return outermost(std::move(destinations));
}

Table make_table(Family family, const std::vector<Pair>& pairs, const Configuration& configuration, Engine engine) {
    const std::vector<Prefix> destinations = destinations_of(family, configuration);
    const Options options{!destinations.empty(), configuration.counters == Counters::rule};
    const bool element_counters = configuration.counters == Counters::pair;
    Table table;
    table.family = family;
    table.maps.push_back(make_int2ext(pairs, element_counters));
    table.maps.push_back(make_ext2int(pairs, element_counters));
    if (engine == Engine::native) {
        table.maps.push_back(make_internal(pairs));
    }
    if (options.exempt) {
        table.prefix_sets.push_back({std::string(exempt_set), false, destinations});
    }
    table.chains = engine == Engine::expression ? expression_chains(family, options) : native_chains(options);
    return table;
}

}  // namespace

Ruleset layout(const Configuration& configuration, Engine engine) {
    Ruleset ruleset;
    for (const Family family : families) {
        const std::vector<Pair> pairs = pairs_of(family, configuration);
        if (!pairs.empty()) {
            ruleset.push_back(make_table(family, pairs, configuration, engine));
        }
    }
    return ruleset;
}

}  // namespace statnat
