// SPDX-License-Identifier: GPL-2.0-or-later
// What maps and rules mean, in pairs.
#include "inventory.hpp"

#include <algorithm>
#include <map>

namespace statnat {

namespace {

const Map* find_map(const Table& table, std::string_view name) {
    const auto found = std::find_if(table.maps.begin(), table.maps.end(),
                                    [&](const Map& map) { return map.name == name && map.values; });
    return found == table.maps.end() ? nullptr : &*found;
}

const Element* find_element(const Map& map, const Address& key) {
    const auto found = std::lower_bound(map.elements.begin(), map.elements.end(), key,
                                        [](const Element& element, const Address& wanted) {
                                            return element.key < wanted;
                                        });
    return found == map.elements.end() || found->key != key ? nullptr : &*found;
}

void take_pairs(const Table& table, Inventory& found) {
    const Map* outbound = find_map(table, int2ext);
    const Map* inbound = find_map(table, ext2int);
    if (!outbound) {
        return;
    }
    found.occupancies.back().pairs = outbound->elements.size();
    found.occupancies.back().capacity = outbound->capacity;
    for (const Element& element : outbound->elements) {
        CountedPair counted;
        counted.pair = {element.key, element.value, element.comment};
        if (outbound->counters) {
            const Element* back = inbound ? find_element(*inbound, element.value) : nullptr;
            counted.outbound = element.traffic;
            counted.inbound = back ? back->traffic : Traffic{};
        }
        found.pairs.push_back(std::move(counted));
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
    return std::any_of(occupancies.begin(), occupancies.end(),
                       [&](const Occupancy& occupancy) { return occupancy.family == family; });
}

std::vector<Pair> Inventory::plain_pairs() const {
    std::vector<Pair> plain;
    plain.reserve(pairs.size());
    for (const CountedPair& counted : pairs) {
        plain.push_back(counted.pair);
    }
    return plain;
}

Configuration Inventory::configuration() const {
    Configuration configuration;
    configuration.engine = engine;
    configuration.counters = counters;
    configuration.exempt_destinations = exempt_destinations;
    configuration.pairs = plain_pairs();
    return configuration;
}

Inventory inventory(const Ruleset& ruleset) {
    Inventory found;
    bool counting_pairs = false;
    bool counting_rules = false;
    for (const Table& table : ruleset) {
        found.occupancies.push_back({.family = table.family});
        take_pairs(table, found);
        take_rules(table, found, counting_rules);
        const Map* outbound = find_map(table, int2ext);
        counting_pairs = counting_pairs || (outbound && outbound->counters);
        for (const PrefixSet& set : table.prefix_sets) {
            if (set.name == exempt_set) {
                found.exempt_destinations.insert(found.exempt_destinations.end(), set.prefixes.begin(),
                                                 set.prefixes.end());
            }
        }
    }
    found.counters = counting_pairs ? Counters::pair : counting_rules ? Counters::rule : Counters::off;
    std::sort(found.pairs.begin(), found.pairs.end(),
              [](const CountedPair& a, const CountedPair& b) { return a.pair.internal < b.pair.internal; });
    return found;
}

}  // namespace statnat
