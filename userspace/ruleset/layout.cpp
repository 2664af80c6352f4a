// SPDX-License-Identifier: GPL-2.0-or-later
// The table of each engine: its maps; its chains are others' business.
#include "ruleset/layout.hpp"

#include "pairs/overlaps.hpp"
#include "ruleset/chains.hpp"

#include <algorithm>
#include <utility>

namespace statnat {
namespace {

static_assert(most_external_interfaces == most_via && most_in_rule == most_destinations);

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
    const MapReference reference = MapRole{key, tier.length, tier.npt, tier.inbound}.reference(tier.family);
    return make_map(reference.name, std::move(elements), tier.is_of_hosts(), counters);
}

Elements with_holes(Elements elements, const Tier& tier, const Holes& holes) {
    const auto of_tier = holes.find(tier);
    if (of_tier != holes.end()) {
        for (const Prefix& hole : of_tier->second) {
            elements.push_back(hole.address, hole.address);
        }
        elements.sort();
    }
    return elements;
}

// Nobody has a pair there, outbound and inbound.
struct AllHoles {
    Holes internal;
    Holes external;
};

AllHoles all_holes(const Pairs& pairs) {
    AllHoles all{{}, holes(pairs)};
    for (const Prefix& prefix : pairs.excluded()) {
        all.internal[{prefix.address.family, prefix.length, false}].push_back(prefix);
    }
    return all;
}

Map make_internal(const Elements& by_internal) {
    Map set = make_map(std::string(internal_set), by_internal.keys(), true, false);
    set.values = false;
    return set;
}

// Whatever is decided then: what policy rules hold back is what nobody decided about. While the kernel deletes a table,
// its rules go on for a moment with maps that are empty already (nf_tables_commit() of net/netfilter/nf_tables_api.c);
// what they do not translate they must not mark, and so a map is asked first. It is a hash, as those of the pairs are:
// on newer kernels what is looked up in intervals stays until the table has gone (nft_pipapo_lookup() of
// net/netfilter/nft_set_pipapo.c since Linux 6.17; seen with a map of one prefix on 7.3).
//
// Where postrouting takes the bit away at its very end, a packet has come by all rules while the map stood: the filters
// of external interfaces let it pass.
void mark_what_comes_by(Table& table, const Extras& extras) {
    if (extras.mark == 0) {
        return;
    }
    table.standing_maps.push_back({std::string(standing_map)});
    const AskStanding standing{std::string(standing_map)};
    for (Chain& chain : table.chains) {
        if (chain.name == "prerouting") {
            chain.rules.insert(chain.rules.begin(), make_rule({{standing, SetMark{extras.mark}}}));
        } else if (chain.name == "postrouting" && !extras.interfaces.empty()) {
            chain.rules.push_back(make_rule({{standing, ClearMark{extras.mark}}}));
        }
    }
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

std::vector<Prefix> destinations_of(Family family, std::vector<Prefix> destinations) {
    std::erase_if(destinations, [&](const Prefix& prefix) { return prefix.address.family != family; });
    return outermost(std::move(destinations));
}

std::vector<Exception> exceptions_of(Family family, const Configuration& configuration) {
    std::vector<Exception> exceptions = configuration.exceptions;
    std::erase_if(exceptions, [&](const Exception& one) { return one.address.family != family; });
    return exceptions;
}

std::optional<Address> error_source_of(Family family, const Configuration& configuration) {
    const std::vector<Address>& all = configuration.icmp_error_sources;
    const auto found = std::find_if(all.begin(), all.end(), [&](const Address& one) { return one.family == family; });
    return found == all.end() ? std::nullopt : std::optional(*found);
}

// Beside so many lists of maps the kernel has room to tell as many prefixes of either family.
constexpr std::size_t most_tiers_beside_destinations = 16;

// Whether the expression itself compares destinations, which costs next to nothing; else a set is asked. Where it may
// have to decide late, it must.
bool are_compared(const std::vector<Prefix>& destinations, const Tiers& tiers, const Configuration& configuration,
                  Engine engine) {
    const bool has_room = destinations.size() <= most_destinations && !destinations.empty() &&
                          destinations.front().length > 0 && tiers.size() <= most_tiers_beside_destinations;
    return engine == Engine::expression && !destinations.empty() &&
           (has_room || configuration.decides_late());
}

Table make_table(Family family, const Tiers& tiers, const AllHoles& holes, const Configuration& configuration,
                 Engine engine) {
    const std::vector<Prefix> only = destinations_of(family, configuration.only_destinations);
    const std::vector<Prefix> destinations =
        only.empty() ? destinations_of(family, configuration.exempt_destinations) : only;
    const bool compared = are_compared(destinations, tiers, configuration, engine);
    const Extras extras{.by_set = !destinations.empty() && !compared,
                        .rule_counter = configuration.counters == Counters::rule,
                        .mark = configuration.fail_closed ? configuration.mark : 0,
                        .destinations = compared ? destinations : std::vector<Prefix>{},
                        .only = !only.empty(),
                        .interfaces = configuration.external_interfaces,
                        .vrf = configuration.vrf,
                        .follow = configuration.conntrack == Conntrack::follow,
                        .exceptions = exceptions_of(family, configuration),
                        .errors_as = error_source_of(family, configuration),
                        .forward = configuration.fast_path};
    const bool counters = configuration.counters == Counters::pair;
    Table table;
    table.family = family;
    for (const auto& [tier, pairs] : tiers) {
        if (tier.inbound) {
            table.maps.push_back(make_map(tier, Side::external, pairs->by_external, counters));
            continue;
        }
        table.maps.push_back(
            make_map(tier, Side::internal, with_holes(pairs->by_internal, tier, holes.internal), counters));
        // Who is excluded alone may leave none, where others have its external side.
        if (Elements by_external = with_holes(pairs->by_external, tier, holes.external); !by_external.empty()) {
            table.maps.push_back(make_map(tier, Side::external, std::move(by_external), counters));
        }
    }
    if (engine == Engine::native) {
        table.maps.push_back(make_internal(tiers.front().pairs->by_internal));
    }
    if (extras.by_set) {
        table.prefix_sets.push_back({std::string(extras.only ? only_set : exempt_set), false, destinations});
    }
    table.chains = engine == Engine::expression ? expression_chains(table, extras) : native_chains(table, extras);
    mark_what_comes_by(table, extras);
    return table;
}

}  // namespace

Ruleset layout(const Configuration& configuration, Engine engine) {
    Ruleset ruleset;
    // Stock rules know hosts only, and nobody overrides what is not there.
    const Pairs pairs = engine == Engine::native ? configuration.pairs.hosts() : configuration.pairs;
    const AllHoles left_over = all_holes(pairs);
    for (const Family family : families) {
        const Tiers tiers = tiers_of(family, pairs);
        if (!tiers.empty()) {
            ruleset.push_back(make_table(family, tiers, left_over, configuration, engine));
        }
    }
    return ruleset;
}

}  // namespace statnat
