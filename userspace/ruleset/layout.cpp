// SPDX-License-Identifier: GPL-2.0-or-later
// The table of each engine, rule by rule.
#include "ruleset/layout.hpp"

#include "pairs/overlaps.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace statnat {
namespace {

constexpr std::string_view internal = "internal";

constexpr std::string_view expression_comment =
    "made by statnat-nft; stock nft does not show the rules of this chain, statnat-nft nft list ruleset does";
constexpr std::string_view native_comment = "made by statnat-nft, do not edit";
static_assert(expression_comment.size() <= 127, "nft's limit of a comment");

// The kernel gives a map of fixed size 4/3 as many buckets, rounded up to a power of two: 3 * 2^k wastes none.
std::uint32_t capacity(std::size_t elements, bool hosts) {
    std::uint32_t size = hosts ? 3 * 1024 : 3 * 16;
    while (size < elements) {
        size *= 2;
    }
    return size;
}

// The pairs that share two maps.
struct TierOfPairs {
    Tier tier;
    const Pairs::Halves* pairs;
};

// Those of one family, in the order in which their maps are asked.
using Tiers = std::vector<TierOfPairs>;

Tiers tiers_of(Family family, const Pairs& pairs) {
    Tiers tiers;
    for (const auto& [tier, halves] : pairs.tiers()) {
        if (tier.family == family) {
            tiers.push_back({tier, &halves});
        }
    }
    return tiers;
}

Map make_map(std::string name, Elements elements, bool hosts, bool counters) {
    Map map;
    map.name = std::move(name);
    map.counters = counters;
    map.capacity = capacity(elements.size(), hosts);
    map.elements = std::move(elements);
    return map;
}

Map make_map(const Tier& tier, Side key, Elements elements, bool counters) {
    const MapReference reference = MapRole{key, tier.length, tier.npt}.reference(tier.family);
    return make_map(reference.name, std::move(elements), tier.is_of_hosts(), counters);
}

Elements with_holes(Elements by_external, const Tier& tier, const Holes& holes) {
    const auto of_tier = holes.find(tier);
    if (of_tier != holes.end()) {
        for (const Prefix& hole : of_tier->second) {
            by_external.push_back(hole.address, hole.address);
        }
        by_external.sort();
    }
    return by_external;
}

Map make_internal(const Elements& by_internal) {
    Map set = make_map(std::string(internal), by_internal.keys(), true, false);
    set.values = false;
    return set;
}

// What a configuration makes optional inside a rule.
struct Extras {
    bool exempt;  // by the set
    bool rule_counter;
    std::vector<Prefix> unless;  // exempt by the expression itself
};

Rule make_rule(std::initializer_list<std::vector<Statement>> parts) {
    Rule rule;
    for (const auto& part : parts) {
        rule.statements.insert(rule.statements.end(), part.begin(), part.end());
    }
    return rule;
}

std::vector<Statement> unless_exempt(const Extras& extras) {
    if (!extras.exempt) {
        return {};
    }
    return {MatchAddress{.field = Field::destination, .set = std::string(exempt_set), .inverted = true}};
}

std::vector<Statement> counted(const Extras& extras) {
    if (!extras.rule_counter) {
        return {};
    }
    return {Counter{}};
}

// The ICMP errors that quote a packet which is on its way (RFC 792, RFC 4443).
std::vector<MatchIcmpType> icmp_errors(Family family) {
    if (family == Family::ipv4) {
        return {{3, 5}, {11, 12}};
    }
    return {{1, 4}};
}

// RFC 792, RFC 4861.
MatchIcmpType icmp_redirect(Family family) {
    return family == Family::ipv4 ? MatchIcmpType{5, 5} : MatchIcmpType{137, 137};
}

// RFC 3927 and RFC 4291: what is said from or to these stays on its link.
MatchOutside unless_on_link(Family family, Field field) {
    return {field, *Prefix::parse(family == Family::ipv4 ? "169.254.0.0/16" : "fe80::/10")};
}

// Where all keys of a map are, which spares the lookup of an address that is elsewhere.
std::optional<Prefix> bound(const Elements& elements, std::uint8_t length) {
    const Prefix common = Prefix::common(elements.key(0), elements.key(elements.size() - 1));
    const Prefix bound = Prefix::of(common.address, std::min(common.length, length));
    return bound.length == 0 ? std::nullopt : std::optional(bound);
}

// In the order in which they are asked.
std::vector<MapReference> references(Side key, const Table& table) {
    std::vector<MapReference> references;
    for (const Map& map : table.maps) {
        if (const auto role = MapRole::of(map, table.family); role && role->key == key) {
            references.push_back(role->reference(table.family));
            references.back().within = bound(map.elements, role->length);
        }
    }
    return references;
}

std::vector<Chain> expression_chains(const Table& table, const Extras& extras) {
    const std::vector<MapReference> by_internal = references(Side::internal, table);
    const std::vector<MapReference> by_external = references(Side::external, table);
    const SnatStateless inbound{.field = Field::destination, .maps = by_external, .notrack = true};
    const SnatStateless of_pairs{.field = Field::source, .maps = by_internal, .untrack = true};
    SnatStateless decide = of_pairs;
    decide.unless = extras.unless;
    const SnatStateless outbound{.field = Field::source, .maps = by_internal, .untracked = true};
    const Rule decide_rule = make_rule({unless_exempt(extras), {decide}});
    // A redirect about a packet of a pair goes no further, exempt or not: by its addresses alone, nobody could tell.
    std::vector<Rule> output{make_rule({{icmp_redirect(table.family), of_pairs}})};
    // The gateway's own ICMP errors quote packets whose source is translated already; their host knows another address.
    for (const MatchIcmpType& error : icmp_errors(table.family)) {
        output.push_back(make_rule({{error, inbound}}));
    }
    output.push_back(decide_rule);
    std::vector<Rule> prerouting{make_rule({{inbound}, counted(extras)}), decide_rule};
    if (!extras.exempt && !extras.rule_counter) {
        // Nothing stands between the two, and one expression is the faster.
        SnatStateless both = inbound;
        both.else_maps = decide.maps;
        both.unless = decide.unless;
        prerouting = {make_rule({{both}})};
    }
    const std::string comment{expression_comment};
    return {
        {"prerouting", Hook::prerouting, ChainType::filter, raw_priority, comment, prerouting},
        {"postrouting", Hook::postrouting, ChainType::filter, raw_priority, comment,
         {make_rule({{outbound}, counted(extras)})}},
        {"output", Hook::output, ChainType::route, raw_priority, comment, output},
    };
}

// To one station that is none of this machine's, and not on the link only.
std::vector<Statement> abroad(Family family) {
    return {MatchAddressType{Field::destination, MatchAddressType::Type::unicast},
            unless_on_link(family, Field::destination)};
}

// Stock rules cannot see in postrouting what prerouting decided, but decide once more by what is to be seen there. What
// a bridge passes on has come in nowhere, and is not from here.
std::vector<Rule> native_postrouting(Family family, const Extras& extras) {
    const MatchAddress has_pair{Field::source, std::string(internal)};
    const SetAddress outbound{Field::source, std::string(int2ext)};
    const MatchAddressType own{Field::source, MatchAddressType::Type::local};
    // ct state switches conntrack on, so it is there only when something has to stay tracked.
    std::vector<Statement> untracked;
    if (extras.exempt) {
        untracked.push_back(MatchUntracked{});
    }
    const auto rule = [&](const std::vector<Statement>& from, const std::vector<Statement>& to) {
        return make_rule({from, untracked, to, abroad(family), {outbound}, counted(extras)});
    };
    std::vector<Rule> rules{rule({MatchForwarded{true}, has_pair}, unless_exempt(extras)),
                            rule({MatchForwarded{false}, has_pair, own}, unless_exempt(extras))};
    if (extras.exempt) {
        // Hairpin, also by way of a bridge: only what was sent to an external address is untracked on its way to a host
        // that has a pair.
        rules.push_back(rule({has_pair},
                             {MatchAddress{.field = Field::destination, .set = std::string(exempt_set)},
                              MatchAddress{.field = Field::destination, .set = std::string(internal)}}));
    }
    return rules;
}

std::vector<Chain> native_chains(Family family, const Extras& extras) {
    const SetAddress inbound{Field::destination, std::string(ext2int)};
    // A lookup in int2ext would count each outbound packet twice.
    const MatchAddress has_pair{Field::source, std::string(internal)};
    const MatchOutside routable = unless_on_link(family, Field::source);

    // What is for the gateway itself stays tracked.
    const Rule decide_rule = make_rule({{has_pair}, unless_exempt(extras), abroad(family), {Notrack{}}});
    const MatchIcmpType redirect = icmp_redirect(family);
    const MatchAddress to_internal{Field::destination, std::string(internal)};
    // What the gateway's own redirects are about is in their quote, of which stock rules can only ask what a listing of
    // nft could not be loaded with: it sends none at all.
    const std::vector<Rule> output{make_rule({{redirect, Drop{}}}),
                                   make_rule({{has_pair}, unless_exempt(extras), {Notrack{}}})};
    const std::string comment{native_comment};
    return {
        {"prerouting", Hook::prerouting, ChainType::filter, raw_priority, comment,
         {make_rule({{routable, inbound, Notrack{}}, counted(extras)}), make_rule({{redirect, to_internal, Drop{}}}),
          decide_rule}},
        {"postrouting", Hook::postrouting, ChainType::filter, raw_priority, comment,
         native_postrouting(family, extras)},
        {"output", Hook::output, ChainType::route, raw_priority, comment, output},
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

std::vector<Prefix> destinations_of(Family family, const Configuration& configuration) {
    std::vector<Prefix> destinations = configuration.exempt_destinations;
    std::erase_if(destinations, [&](const Prefix& prefix) { return prefix.address.family != family; });
    return outermost(std::move(destinations));
}

// Beside so many lists of maps the kernel has room to tell as many prefixes of either family.
constexpr std::size_t most_tiers_beside_unless = 16;

// Whether the expression itself compares destinations, which costs next to nothing; else a set is asked.
bool are_compared(const std::vector<Prefix>& destinations, const Tiers& tiers, Engine engine) {
    return engine == Engine::expression && !destinations.empty() && destinations.size() <= most_unless &&
           destinations.front().length > 0 && tiers.size() <= most_tiers_beside_unless;
}

Table make_table(Family family, const Tiers& tiers, const Holes& holes, const Configuration& configuration,
                 Engine engine) {
    const std::vector<Prefix> destinations = destinations_of(family, configuration);
    const bool compared = are_compared(destinations, tiers, engine);
    const Extras extras{.exempt = !destinations.empty() && !compared,
                        .rule_counter = configuration.counters == Counters::rule,
                        .unless = compared ? destinations : std::vector<Prefix>{}};
    const bool counters = configuration.counters == Counters::pair;
    Table table;
    table.family = family;
    for (const auto& [tier, pairs] : tiers) {
        table.maps.push_back(make_map(tier, Side::internal, pairs->by_internal, counters));
        table.maps.push_back(make_map(tier, Side::external, with_holes(pairs->by_external, tier, holes), counters));
    }
    if (engine == Engine::native) {
        table.maps.push_back(make_internal(tiers.front().pairs->by_internal));
    }
    if (extras.exempt) {
        table.prefix_sets.push_back({std::string(exempt_set), false, destinations});
    }
    table.chains = engine == Engine::expression ? expression_chains(table, extras) : native_chains(family, extras);
    return table;
}

}  // namespace

Ruleset layout(const Configuration& configuration, Engine engine) {
    Ruleset ruleset;
    // Stock rules know hosts only, and nobody overrides what is not there.
    const Pairs pairs = engine == Engine::native ? configuration.pairs.hosts() : configuration.pairs;
    const Holes left_over = holes(pairs);
    for (const Family family : families) {
        const Tiers tiers = tiers_of(family, pairs);
        if (!tiers.empty()) {
            ruleset.push_back(make_table(family, tiers, left_over, configuration, engine));
        }
    }
    return ruleset;
}

}  // namespace statnat
