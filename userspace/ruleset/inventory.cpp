// SPDX-License-Identifier: GPL-2.0-or-later
// What maps and rules mean, in pairs.
#include "ruleset/inventory.hpp"

#include <algorithm>
#include <map>

namespace statnat {

namespace {

void take_pairs(const Map& outbound, const MapRole& role, Family family, Inventory& found) {
    Occupancy occupancy{.family = family, .length = role.length, .npt = role.npt, .capacity = outbound.capacity};
    for (const Element& element : outbound.elements) {
        if (role.pair(element)) {
            found.pairs.push_back({family, role.length, role.npt}, element.key, element.value, element.comment);
            ++occupancy.pairs;
        }
    }
    found.occupancies.push_back(occupancy);
}

void take_counted_pairs(const Map& outbound, const MapRole& role, const Table& table, std::vector<CountedPair>& pairs) {
    const Map* inbound = find(table, MapRole{other(role.key), role.length, role.npt});
    for (const Element& element : outbound.elements) {
        auto pair = role.pair(element);
        if (!pair) {
            continue;
        }
        CountedPair counted{std::move(*pair), {}, {}};
        if (outbound.counters) {
            const auto back = inbound ? inbound->elements.find(element.value) : std::nullopt;
            counted.outbound = element.traffic;
            counted.inbound = back ? inbound->elements.traffic(*back) : Traffic{};
        }
        pairs.push_back(std::move(counted));
    }
}

void take_rules(const Table& table, Inventory& found, bool& counting_rules) {
    for (const Chain& chain : table.chains) {
        for (const Rule& rule : chain.rules) {
            found.dropped += rule.dropped;
            for (const Statement& statement : rule.statements) {
                if (std::holds_alternative<SnatStateless>(statement)) {
                    found.engine = Engine::expression;
                } else if (std::holds_alternative<SetAddress>(statement)) {
                    found.engine = Engine::native;
                } else if (std::holds_alternative<Counter>(statement)) {
                    counting_rules = true;
                    found.rules.push_back({table.family, chain.name, text(rule, table.family), rule.traffic});
                }
            }
        }
    }
}

}  // namespace

bool Inventory::has_table(Family family) const {
    return std::find(tables.begin(), tables.end(), family) != tables.end();
}

Configuration Inventory::configuration() const {
    Configuration configuration;
    configuration.engine = engine;
    configuration.counters = counters;
    configuration.exempt_destinations = exempt_destinations;
    configuration.external_interfaces = external_interfaces;
    configuration.fail_closed = mark != 0;
    configuration.mark = mark != 0 ? mark : default_mark;
    configuration.vrf = vrf;
    configuration.pairs = pairs;
    return configuration;
}

Inventory inventory(const Ruleset& ruleset) {
    Inventory found;
    bool counting_pairs = false;
    bool counting_rules = false;
    for (const Table& table : ruleset) {
        found.tables.push_back(table.family);
        for (const Map& map : table.maps) {
            const auto role = MapRole::of(map, table.family);
            if (role && role->key == Side::internal) {
                take_pairs(map, *role, table.family, found);
                counting_pairs = counting_pairs || map.counters;
            }
        }
        take_rules(table, found, counting_rules);
        found.mark = std::max(found.mark, mark_of(table));
        found.vrf = found.vrf ? found.vrf : vrf_of(table);
        const std::vector<Prefix> exempt = exempt_destinations(table);
        if (found.external_interfaces.empty()) {
            found.external_interfaces = external_interfaces(table);
        }
        found.exempt_destinations.insert(found.exempt_destinations.end(), exempt.begin(), exempt.end());
    }
    found.counters = counting_pairs ? Counters::pair : counting_rules ? Counters::rule : Counters::off;
    found.pairs.sort();
    return found;
}

std::vector<CountedPair> counted_pairs(const Ruleset& ruleset) {
    std::vector<CountedPair> pairs;
    for (const Table& table : ruleset) {
        for (const Map& map : table.maps) {
            const auto role = MapRole::of(map, table.family);
            if (role && role->key == Side::internal) {
                take_counted_pairs(map, *role, table, pairs);
            }
        }
    }
    std::sort(pairs.begin(), pairs.end(),
              [](const CountedPair& a, const CountedPair& b) { return a.pair < b.pair; });
    return pairs;
}

}  // namespace statnat
