// SPDX-License-Identifier: GPL-2.0-or-later
// Asks maps and rules what the kernel would ask them.
#include "ruleset/explanation.hpp"

#include "printable.hpp"

#include <algorithm>

namespace statnat {
namespace {

const Map* find_map(const Table& table, std::string_view name) {
    const auto found =
        std::find_if(table.maps.begin(), table.maps.end(), [&](const Map& map) { return map.name == name; });
    return found == table.maps.end() ? nullptr : &*found;
}

// A rule that translates, in its chain, and the maps that it asks.
struct Translator {
    const Chain* chain;
    const Rule* rule;
    std::vector<MapReference> maps;
};

// The maps that a statement translates `field` with; none if it does something else.
std::vector<MapReference> maps_of(const Statement& statement, Field field) {
    if (const auto* ours = std::get_if<SnatStateless>(&statement)) {
        return ours->field == field && !ours->untrack ? ours->maps : std::vector<MapReference>{};
    }
    const auto* stock = std::get_if<SetAddress>(&statement);
    return stock && stock->field == field ? std::vector<MapReference>{{stock->map}} : std::vector<MapReference>{};
}

std::optional<Translator> translator(const Table& table, Field field) {
    const Hook hook = field == Field::source ? Hook::postrouting : Hook::prerouting;
    for (const Chain& chain : table.chains) {
        if (chain.hook != hook || table.dormant) {
            continue;
        }
        for (const Rule& rule : chain.rules) {
            for (const Statement& statement : rule.statements) {
                if (auto maps = maps_of(statement, field); !maps.empty()) {
                    return Translator{&chain, &rule, std::move(maps)};
                }
            }
        }
    }
    return std::nullopt;
}

// What the maps of one rule say about an address, the first to have it first.
struct Hit {
    std::string map;
    Prefix from;
    Prefix to;  // the same: a hole
    bool npt;
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
        const Map* map = find_map(table, reference.name);
        const auto element = map ? map->elements.find(from.address) : std::nullopt;
        if (element) {
            const Elements& elements = map->elements;
            found.push_back({map->name, from, Prefix::of(elements.value(*element), length), reference.npt,
                             elements.comment(*element)});
        }
    }
    return found;
}

bool is_hole(const Hit& hit) {
    return hit.from == hit.to;
}

// Comments are beside the internal address only.
Comment comment_of(const Table& table, const Hit& inbound) {
    for (const Map& map : table.maps) {
        const auto role = MapRole::of(map, table.family);
        if (role == MapRole{Side::internal, inbound.from.length, inbound.npt}) {
            const auto element = map.elements.find(inbound.to.address);
            return element ? map.elements.comment(*element) : Comment{};
        }
    }
    return {};
}

Match match(const Table& table, const Hit& hit, Side from, const Address& address) {
    const bool outbound = from == Side::internal;
    Match match{outbound ? Pair{hit.from, hit.to, hit.npt, hit.comment}
                         : Pair{hit.to, hit.from, hit.npt, comment_of(table, hit)}};
    const Counterpart counterpart = translate({hit.from, hit.to, hit.npt}, Prefix::host(address));
    match.fate = counterpart.fate;
    if (counterpart.fate == Fate::one) {
        match.becomes = counterpart.prefix.address;
    }
    return match;
}

Handling handling(const Table& table, Side from, const Address& address) {
    Handling result;
    const auto by = translator(table, from == Side::internal ? Field::source : Field::destination);
    if (!by) {
        return result;
    }
    result.chain = by->chain->name;
    result.rule = text(*by->rule, table.family);
    const std::vector<Hit> found = hits(table, *by, address);
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

// Who would be behind a hole has another pair.
std::optional<Pair> overriding(const Table& table, const Handling& inbound) {
    if (!inbound.hole || inbound.overridden.empty() || !inbound.overridden.front().becomes) {
        return std::nullopt;
    }
    const auto match = handling(table, Side::internal, *inbound.overridden.front().becomes).match;
    return match ? std::optional(match->pair) : std::nullopt;
}

std::string named(const Pair& pair) {
    return pair.text() + (pair.comment.empty() ? "" : " # " + printable(pair.comment.text()));
}

std::string_view reason(Fate fate) {
    return fate == Fate::subnet ? "subnet 0xffff has no counterpart (RFC 6296, 3.2)"
                                      : "its interface identifier has no counterpart (RFC 6296, 3.7)";
}

std::string fate(const Match& match) {
    return match.becomes ? "becomes " + match.becomes->text()
                         : "is dropped, and its sender told: " + std::string(reason(match.fate));
}

std::string listed(const std::vector<Prefix>& prefixes) {
    std::string list;
    for (const Prefix& prefix : prefixes) {
        list += (list.empty() ? "" : ", ") + prefix.text();
    }
    return list;
}

std::string as_text(const Handling& handling, const Explanation& explanation) {
    const std::string table = table_text(explanation.address.family);
    const std::string rule = "    rule: " + table + " " + printable(handling.chain) + ": " + printable(handling.rule) + "\n";
    if (handling.chain.empty()) {
        return "no rule translates it\n";
    }
    if (handling.map.empty()) {
        return "no pair has it\n" + rule;
    }
    std::string lines;
    if (handling.match) {
        lines = fate(*handling.match) + "\n    pair: " + named(handling.match->pair) + "\n";
    } else {
        lines = "no pair has it: " + handling.hole->short_text() + " is a hole" +
                (handling.beside ? ", since its internal host has another pair: " + named(*handling.beside) : "") +
                "\n";
    }
    lines += "    map: " + table + " " + handling.map + "\n" + rule;
    for (const Match& other : handling.overridden) {
        lines += "    overrides: " + named(other.pair) + ", by which it " + fate(other) + "\n";
    }
    return lines;
}

std::string as_json(const Pair& pair) {
    return "{\"internal\":" + quoted_json(pair.internal.short_text()) +
           ",\"external\":" + quoted_json(pair.external.short_text()) + ",\"npt\":" + (pair.npt ? "true" : "false") +
           ",\"comment\":" + quoted_json(pair.comment.text()) + "}";
}

std::string as_json(const Match& match) {
    return "\"pair\":" + as_json(match.pair) +
           (match.becomes ? ",\"becomes\":" + quoted_json(match.becomes->text())
                          : ",\"dropped\":" + quoted_json(reason(match.fate)));
}

template <class Values, class Write>
std::string json_array(const Values& values, Write write) {
    std::string array = "[";
    for (const auto& value : values) {
        array += (array.size() == 1 ? "" : ",") + write(value);
    }
    return array + "]";
}

std::string as_json(const Handling& handling) {
    std::string json = "{";
    if (handling.match) {
        json += as_json(*handling.match) + ",";
    }
    if (handling.hole) {
        json += "\"hole\":" + quoted_json(handling.hole->short_text()) + ",";
    }
    if (handling.beside) {
        json += "\"beside\":" + as_json(*handling.beside) + ",";
    }
    if (!handling.map.empty()) {
        json += "\"map\":" + quoted_json(handling.map) + ",";
    }
    if (!handling.chain.empty()) {
        json += "\"chain\":" + quoted_json(handling.chain) + ",\"rule\":" + quoted_json(handling.rule) + ",";
    }
    return json + "\"overrides\":" +
           json_array(handling.overridden, [](const Match& match) { return "{" + as_json(match) + "}"; }) + "}";
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
        explanation.inbound.beside = overriding(table, explanation.inbound);
        for (const PrefixSet& set : table.prefix_sets) {
            if (set.name == exempt_set) {
                explanation.exempt_destinations = set.prefixes;
            }
        }
    }
    for (const Prefix& prefix : explanation.exempt_destinations) {
        if (prefix.covers(address)) {
            explanation.exempt = prefix;
        }
    }
    return explanation;
}

std::string as_text(const Explanation& explanation) {
    std::string lines = explanation.address.text() + "\n";
    lines += "  as the source of an internal host: " + as_text(explanation.outbound, explanation);
    if (explanation.outbound.match && !explanation.exempt_destinations.empty()) {
        lines += "    but not on the way to: " + listed(explanation.exempt_destinations) + "\n";
    }
    lines += "  as the destination from outside: " + as_text(explanation.inbound, explanation);
    if (explanation.exempt) {
        lines += "  as the destination of internal hosts: exempt, by " + explanation.exempt->text() + "\n";
    }
    return lines;
}

std::string as_json(const Explanation& explanation) {
    const auto quoted = [](const Prefix& prefix) { return quoted_json(prefix.text()); };
    return "{\"address\":" + quoted_json(explanation.address.text()) +
           ",\"outbound\":" + as_json(explanation.outbound) + ",\"inbound\":" + as_json(explanation.inbound) +
           ",\"exempt_destinations\":" + json_array(explanation.exempt_destinations, quoted) +
           ",\"exempt\":" + (explanation.exempt ? quoted(*explanation.exempt) : "null") + "}\n";
}

}  // namespace statnat
