// SPDX-License-Identifier: GPL-2.0-or-later
// Asks maps and rules what the kernel would ask them.
#include "ruleset/explanation.hpp"

#include "ruleset/inventory.hpp"

#include <algorithm>

namespace statnat {
namespace {

// A rule that translates, in its chain, and the maps that it asks.
struct Translator {
    const Chain* chain;
    const Rule* rule;
    std::vector<MapReference> maps;
};

// The maps that a statement translates `field` with; none if it does something else.
std::vector<MapReference> maps_of(const Statement& statement, Field field) {
    if (const auto* ours = std::get_if<SnatStateless>(&statement)) {
        return ours->field == field && !ours->only_decides() ? ours->maps : std::vector<MapReference>{};
    }
    const auto* stock = std::get_if<SetAddress>(&statement);
    return stock && stock->field == field ? std::vector<MapReference>{{stock->map}} : std::vector<MapReference>{};
}

// In the order in which they are asked.
std::vector<Translator> translators(const Table& table, Field field) {
    std::vector<Translator> found;
    const Hook hook = field == Field::source ? Hook::postrouting : Hook::prerouting;
    for (const Chain& chain : table.chains) {
        if (chain.hook != hook || table.dormant) {
            continue;
        }
        for (const Rule& rule : chain.rules) {
            for (const Statement& statement : rule.statements) {
                if (auto maps = maps_of(statement, field); !maps.empty()) {
                    found.push_back({&chain, &rule, std::move(maps)});
                }
            }
        }
    }
    return found;
}

// What the maps of one rule say about an address, the first to have it first.
struct Hit {
    std::string map;
    Prefix from;
    Prefix to;  // the same: a hole
    MapRole role;
    Comment comment;
};

std::vector<Hit> hits(const Table& table, const Translator& by, const Address& address) {
    std::vector<Hit> found;
    for (const MapReference& reference : by.maps) {
        if (reference.within && !reference.within->covers(address)) {
            continue;
        }
        const std::uint8_t length = reference.prefix.value_or(full_length(table.family));
        const Prefix from = Prefix::of(address, length);
        const Map* map = find_named(table.maps, reference.name);
        const auto element = map ? map->elements.find(from.address) : std::nullopt;
        if (element) {
            const Elements& elements = map->elements;
            MapRole role = MapRole::of(*map, table.family).value_or(MapRole{});
            role.npt = reference.npt;
            found.push_back({map->name, from, Prefix::of(elements.value(*element), length), role,
                             elements.comment(*element)});
        }
    }
    return found;
}

bool is_hole(const Hit& hit) {
    return hit.from == hit.to;
}

// Comments are beside the internal address only, and those of pairs in both directions.
Comment comment_of(const Table& table, const Hit& inbound) {
    const Map* outbound =
        inbound.role.inbound ? nullptr : find(table, MapRole{Side::internal, inbound.from.length, inbound.role.npt});
    const auto element = outbound ? outbound->elements.find(inbound.to.address) : std::nullopt;
    return element ? outbound->elements.comment(*element) : Comment{};
}

Match match(const Table& table, const Hit& hit, Side from, const Address& address) {
    const bool outbound = from == Side::internal;
    const bool npt = hit.role.npt;
    Match match{outbound ? Pair{hit.from, hit.to, npt, hit.comment}
                         : Pair{hit.to, hit.from, npt, comment_of(table, hit), hit.role.inbound}};
    const Counterpart counterpart = translate({hit.from, hit.to, npt}, Prefix::host(address));
    match.fate = counterpart.fate;
    if (counterpart.fate == Fate::one) {
        match.becomes = counterpart.prefix.address;
    }
    return match;
}

Handling handling(const Table& table, Side from, const Address& address) {
    Handling result;
    std::vector<Hit> found;
    for (const Translator& by : translators(table, from == Side::internal ? Field::source : Field::destination)) {
        auto more = hits(table, by, address);
        if (result.chain.empty() || !more.empty()) {
            result.chain = by.chain->name;
            result.rule = text(*by.rule, table.family);
        }
        if (!more.empty()) {
            found = std::move(more);
            break;
        }
    }
    for (const Hit& hit : found) {
        if (!is_hole(hit)) {
            result.overridden.push_back(match(table, hit, from, address));
        }
    }
    if (!found.empty()) {
        result.map = found.front().map;
        if (is_hole(found.front())) {
            result.hole = found.front().from;
        } else {
            result.match = result.overridden.front();
            result.overridden.erase(result.overridden.begin());
        }
    }
    return result;
}

// By which pair a host answers that is reached by another address.
void explain_inbound(const Table& table, Handling& inbound) {
    if (inbound.match && inbound.match->pair.inbound) {
        const Handling back = handling(table, Side::internal, inbound.match->pair.internal.address);
        inbound.beside = back.match ? std::optional(back.match->pair) : std::nullopt;
    }
}

std::vector<Address> further_externals(const Table& table, const Address& internal) {
    std::vector<Address> found;
    if (const Map* map = find(table, MapRole{Side::external, full_length(table.family), false, true})) {
        for (std::size_t i = 0; i < map->elements.size(); ++i) {
            if (map->elements.value(i) == internal) {
                found.push_back(map->elements.key(i));
            }
        }
    }
    return found;
}

// Who would be behind a hole has another pair, or is excluded.
void explain_hole(const Table& table, Handling& inbound) {
    if (!inbound.hole || inbound.overridden.empty() || !inbound.overridden.front().becomes) {
        return;
    }
    const Handling behind = handling(table, Side::internal, *inbound.overridden.front().becomes);
    inbound.excluded = behind.hole;
    if (behind.match) {
        inbound.beside = behind.match->pair;
    }
}

}  // namespace

Explanation explain(const Ruleset& ruleset, const Address& address) {
    Explanation explanation;
    explanation.address = address;
    for (const Table& table : ruleset) {
        if (table.family != address.family) {
            continue;
        }
        explanation.outbound = handling(table, Side::internal, address);
        explanation.inbound = handling(table, Side::external, address);
        explanation.outbound.excluded = explanation.outbound.hole;
        explain_hole(table, explanation.inbound);
        explain_inbound(table, explanation.inbound);
        explanation.outbound.further = further_externals(table, address);
        for (const Exception& one : exceptions(table)) {
            if (one.address == address) {
                (one.side == Side::internal ? explanation.outbound : explanation.inbound)
                    .exceptions.push_back(one.service());
            }
        }
        explanation.exempt_destinations = exempt_destinations(table);
        explanation.only_destinations = only_destinations(table);
        explanation.external_interfaces = external_interfaces(table);
    }
    for (const Prefix& prefix : explanation.exempt_destinations) {
        if (prefix.covers(address)) {
            explanation.exempt = prefix;
        }
    }
    return explanation;
}

}  // namespace statnat
