// SPDX-License-Identifier: GPL-2.0-or-later
// What maps and rules mean, in pairs.
#include "ruleset/inventory.hpp"

#include <algorithm>
#include <map>

namespace statnat {

namespace {

// Calls visit with each statement, and the chain that it stands in.
template <class Visit>
void for_each_statement(const Table& table, Visit visit) {
    for (const Chain& chain : table.chains) {
        for (const Rule& rule : chain.rules) {
            for (const Statement& statement : rule.statements) {
                visit(statement, chain);
            }
        }
    }
}

std::vector<Prefix> destinations(const Table& table, std::string_view set_name, bool only) {
    if (const PrefixSet* set = find_named(table.prefix_sets, set_name)) {
        return set->prefixes;
    }
    std::vector<Prefix> destinations;
    for_each_statement(table, [&](const Statement& statement, const Chain&) {
        const auto* ours = std::get_if<SnatStateless>(&statement);
        if (ours && ours->only == only && destinations.empty()) {
            destinations = ours->destinations;
        }
    });
    return destinations;
}

}  // namespace

std::vector<Prefix> exempt_destinations(const Table& table) {
    return destinations(table, exempt_set, false);
}

std::vector<Prefix> only_destinations(const Table& table) {
    return destinations(table, only_set, true);
}

std::vector<Exception> exceptions(const Table& table) {
    std::vector<Exception> found;
    for (const Chain& chain : table.chains) {
        for (const Rule& rule : chain.rules) {
            const auto* host = rule.statements.empty() ? nullptr : std::get_if<MatchHost>(&rule.statements.front());
            const auto* service = host && rule.statements.size() == 3
                                      ? std::get_if<MatchService>(&rule.statements[1])
                                      : nullptr;
            if (service && std::holds_alternative<Accept>(rule.statements[2])) {
                found.push_back({host->field == Field::destination ? Side::external : Side::internal, host->address,
                                 service->protocol, service->port});
            }
        }
    }
    std::sort(found.begin(), found.end());
    return found;
}

// Only there a rule of the VRF's names where packets have come from in postrouting.
std::optional<Vrf> vrf_of(const Table& table) {
    Vrf vrf;
    std::vector<std::string> names;
    for_each_statement(table, [&](const Statement& statement, const Chain& chain) {
        const auto* match = std::get_if<MatchInterface>(&statement);
        if (const auto* mark = std::get_if<SetMark>(&statement)) {
            vrf.mark = mark->bits;
        } else if (match && match->way == MatchInterface::Way::in) {
            (chain.hook == Hook::postrouting ? vrf.name : names.emplace_back()) = match->name;
        }
    });
    std::erase(names, vrf.name);
    vrf.ports = std::move(names);
    return vrf.name.empty() ? std::nullopt : std::optional(vrf);
}

std::vector<std::string> external_interfaces(const Table& table) {
    if (vrf_of(table)) {
        return {};
    }
    std::vector<std::string> names;
    const auto add = [&](const std::string& name) {
        if (std::find(names.begin(), names.end(), name) == names.end()) {
            names.push_back(name);
        }
    };
    for_each_statement(table, [&](const Statement& statement, const Chain&) {
        if (const auto* ours = std::get_if<SnatStateless>(&statement)) {
            std::for_each(ours->via.begin(), ours->via.end(), add);
        } else if (const auto* match = std::get_if<MatchInterface>(&statement)) {
            add(match->name);
        }
    });
    return names;
}

std::optional<Address> icmp_error_source(const Table& table) {
    std::optional<Address> source;
    for_each_statement(table, [&](const Statement& statement, const Chain&) {
        const auto* ours = std::get_if<SnatStateless>(&statement);
        source = ours && ours->errors_as ? ours->errors_as : source;
    });
    return source;
}

bool has_fast_path(const Table& table) {
    bool forwards = false;
    for_each_statement(table, [&](const Statement& statement, const Chain&) {
        const auto* ours = std::get_if<SnatStateless>(&statement);
        forwards = forwards || (ours && ours->forward);
    });
    return forwards;
}

Conntrack conntrack_of(const Table& table) {
    bool follows = false;
    for_each_statement(table, [&](const Statement& statement, const Chain&) {
        const auto* ours = std::get_if<SnatStateless>(&statement);
        follows = follows || (ours && (ours->follow || ours->followed));
    });
    return follows ? Conntrack::follow : Conntrack::bypass;
}

std::uint32_t mark_of(const Table& table) {
    std::uint32_t bits = 0;
    for_each_statement(table, [&](const Statement& statement, const Chain&) {
        const auto* mark = std::get_if<SetMark>(&statement);
        bits = mark && bits == 0 ? mark->bits : bits;
    });
    return vrf_of(table) ? 0 : bits;
}

namespace {

void take_pairs(const Map& map, const MapRole& role, Family family, Inventory& found) {
    Occupancy occupancy{.family = family,
                        .length = role.length,
                        .npt = role.npt,
                        .inbound = role.inbound,
                        .capacity = map.capacity};
    for (const Element& element : map.elements) {
        if (const auto pair = role.pair(element)) {
            found.pairs.push_back(*pair);
            ++occupancy.pairs;
        } else if (!role.inbound) {
            found.pairs.exclude({element.key, role.length});
        }
    }
    if (occupancy.pairs != 0 || map.elements.empty()) {
        found.occupancies.push_back(occupancy);
    }
}

void take_counted_pairs(const Map& map, const MapRole& role, const Table& table, std::vector<CountedPair>& pairs) {
    const Map* inbound = find(table, MapRole{other(role.key), role.length, role.npt});
    for (const Element& element : map.elements) {
        auto pair = role.pair(element);
        if (!pair) {
            continue;
        }
        CountedPair counted{std::move(*pair), {}, {}};
        if (map.counters && role.inbound) {
            counted.inbound = element.traffic;
        } else if (map.counters) {
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
    configuration.only_destinations = only_destinations;
    configuration.exceptions = exceptions;
    configuration.external_interfaces = external_interfaces;
    configuration.fail_closed = mark != 0;
    configuration.mark = mark != 0 ? mark : default_mark;
    configuration.vrf = vrf;
    configuration.conntrack = conntrack;
    configuration.fast_path = fast_path;
    configuration.icmp_error_sources = icmp_error_sources;
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
            if (role && role->tells_pairs()) {
                take_pairs(map, *role, table.family, found);
                counting_pairs = counting_pairs || map.counters;
            }
        }
        take_rules(table, found, counting_rules);
        found.mark = std::max(found.mark, mark_of(table));
        found.vrf = found.vrf ? found.vrf : vrf_of(table);
        found.fast_path = found.fast_path || has_fast_path(table);
        found.conntrack = std::max(found.conntrack, conntrack_of(table));
        const std::vector<Prefix> exempt = exempt_destinations(table);
        const std::vector<Prefix> only = only_destinations(table);
        found.only_destinations.insert(found.only_destinations.end(), only.begin(), only.end());
        const std::vector<Exception> excepted = exceptions(table);
        found.exceptions.insert(found.exceptions.end(), excepted.begin(), excepted.end());
        if (const auto source = icmp_error_source(table)) {
            found.icmp_error_sources.push_back(*source);
        }
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
            if (role && role->tells_pairs()) {
                take_counted_pairs(map, *role, table, pairs);
            }
        }
    }
    std::sort(pairs.begin(), pairs.end(),
              [](const CountedPair& a, const CountedPair& b) { return a.pair < b.pair; });
    return pairs;
}

}  // namespace statnat
