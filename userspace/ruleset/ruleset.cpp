// SPDX-License-Identifier: GPL-2.0-or-later
// Statements and rules as nft(8) would write them.
#include "ruleset/ruleset.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <map>

namespace statnat {
namespace {

// nft(8)'s name of the family, which is that of its header too.
std::string keyword(Family family) {
    return family == Family::ipv4 ? "ip" : "ip6";
}

std::string keyword(Field field) {
    return field == Field::source ? "saddr" : "daddr";
}

std::string text(const MapReference& map) {
    return "@" + map.name + (map.prefix ? " prefix " + std::to_string(*map.prefix) : "") + (map.npt ? " npt" : "") +
           (map.within ? " within " + map.within->short_text() : "");
}

std::string text(const std::vector<MapReference>& maps) {
    std::string list;
    for (const MapReference& map : maps) {
        list += (list.empty() ? "" : ", ") + text(map);
    }
    return list;
}

std::string in_nft_quotes(const std::string& name) {
    return '"' + name + '"';
}

std::string in_hexadecimal(std::uint32_t bits) {
    char digits[11];
    std::snprintf(digits, sizeof digits, "0x%08x", bits);
    return digits;
}

std::string in_hexadecimal(const std::vector<std::uint8_t>& bytes) {
    std::string digits = "0x";
    for (const std::uint8_t byte : bytes) {
        digits += "0123456789abcdef"[byte >> 4];
        digits += "0123456789abcdef"[byte & 15];
    }
    return digits;
}

constexpr std::uint8_t tcp = 6;

struct StatementText {
    Family family;

    std::string operator()(const SnatStateless& statement) const {
        std::string words = "snat_stateless " + keyword(statement.field) + " map " + text(statement.maps);
        for (const auto& [word, member] : statement_flags) {
            words += statement.*member ? " " + std::string(word) : "";
        }
        words += statement.else_maps.empty() ? ""
                                             : " else saddr map " + text(statement.else_maps) +
                                                   (statement.follow ? " follow" : " untrack");
        for (const Prefix& prefix : statement.destinations) {
            const bool first = &prefix == &statement.destinations.front();
            words += (!first ? ", " : statement.only ? " only daddr " : " unless daddr ") + prefix.short_text();
        }
        for (const std::string& name : statement.via) {
            words += (&name == &statement.via.front() ? " via " : ", ") + in_nft_quotes(name);
        }
        words += statement.forward ? " forward" : "";
        words += statement.errors_as ? " errors as " + statement.errors_as->text() : "";
        return words;
    }

    std::string operator()(const SetAddress& statement) const {
        const std::string field = keyword(family) + " " + keyword(statement.field);
        return field + " set " + field + " map @" + statement.map;
    }

    std::string operator()(const MatchAddress& statement) const {
        return keyword(family) + " " + keyword(statement.field) + (statement.inverted ? " != @" : " @") + statement.set;
    }

    std::string operator()(const MatchHost& statement) const {
        return keyword(family) + " " + keyword(statement.field) + " " + statement.address.text();
    }

    std::string operator()(const MatchService& statement) const {
        if (!statement.port) {
            return "meta l4proto " + std::to_string(statement.protocol);
        }
        return std::string(statement.protocol == tcp ? "tcp" : "udp") +
               (statement.field == Field::source ? " sport " : " dport ") + std::to_string(*statement.port);
    }

    std::string operator()(const MatchBytes& statement) const {
        return "@th," + std::to_string(8 * statement.offset) + "," + std::to_string(8 * statement.bytes.size()) + " " +
               in_hexadecimal(statement.bytes);
    }

    std::string operator()(const AskStanding& statement) const { return "meta protocol vmap @" + statement.map; }

    std::string operator()(const MatchOutside& statement) const {
        return keyword(family) + " " + keyword(statement.field) + " != " + statement.prefix.text();
    }

    std::string operator()(const MatchAddressType& statement) const {
        return "fib " + keyword(statement.field) + " type " +
               (statement.type == MatchAddressType::Type::local ? "local" : "unicast");
    }

    std::string operator()(const MatchForwarded& statement) const { return statement.forwarded ? "iif != 0" : "iif 0"; }

    std::string operator()(const MatchInterface& statement) const {
        const std::string key = statement.way == MatchInterface::Way::in    ? "iifname "
                                : statement.way == MatchInterface::Way::out ? "oifname "
                                                                            : "fib daddr . mark oifname ";
        return key + in_nft_quotes(statement.name);
    }

    std::string operator()(const MatchIcmpType& statement) const {
        const std::string protocol = family == Family::ipv4 ? "icmp" : "icmpv6";
        const std::string first = protocol + " type " + std::to_string(statement.first);
        return statement.first == statement.last ? first : first + "-" + std::to_string(statement.last);
    }

    std::string operator()(const MatchBeginning&) const { return "ip frag-off & 0x1fff == 0"; }
    std::string operator()(const MatchUntracked&) const { return "ct state untracked"; }
    std::string operator()(const Notrack&) const { return "notrack"; }
    std::string operator()(const SetMark& statement) const {
        return "meta mark set meta mark | " + in_hexadecimal(statement.bits);
    }
    std::string operator()(const ClearMark& statement) const {
        return "meta mark set meta mark & " + in_hexadecimal(~statement.bits);
    }
    std::string operator()(const MatchMark& statement) const {
        const std::string bits = in_hexadecimal(statement.bits);
        return "meta mark & " + bits + " == " + bits;
    }
    std::string operator()(const KeepSource&) const { return "snat to " + keyword(family) + " saddr"; }
    std::string operator()(const Drop&) const { return "drop"; }
    std::string operator()(const Accept&) const { return "accept"; }
    std::string operator()(const Counter&) const { return "counter"; }
    std::string operator()(const Foreign& statement) const { return statement.expression; }
};

std::string map_name(const MapRole& role, Family family) {
    return std::string(role.key == Side::internal ? int2ext : ext2int) +
           (role.length == full_length(family) ? "" : "_" + std::to_string(role.length)) + (role.npt ? "_npt" : "") +
           (role.inbound ? "_inbound" : "");
}

// Calls visit with each map that is asked in a rule, in order.
template <class Of, class Visit>
void for_each_reference(Of& rule, Visit visit) {
    for (auto& statement : rule.statements) {
        if (auto* ours = std::get_if<SnatStateless>(&statement)) {
            for (auto* maps : {&ours->maps, &ours->else_maps}) {
                std::for_each(maps->begin(), maps->end(), visit);
            }
        }
    }
}

using Bound = std::optional<Prefix>;  // nothing: any address

std::vector<Bound> bounds(const Rule& rule) {
    std::vector<Bound> bounds;
    for_each_reference(rule, [&](const MapReference& map) { bounds.push_back(map.within); });
    return bounds;
}

bool covers(const Bound& one, const Bound& other) {
    return !one || (other && one->covers(*other));
}

// What covers both; the shorter one never lets go.
Bound joined(const Bound& one, const Bound& other) {
    if (!one || !other) {
        return std::nullopt;
    }
    const Prefix common = Prefix::common(one->address, other->address);
    const Prefix joined = Prefix::of(common.address, std::min({common.length, one->length, other->length}));
    return joined.length == 0 ? std::nullopt : Bound(joined);
}

// What each map is within.
std::map<std::string, Bound> bounds(const Table& table) {
    std::map<std::string, Bound> bounds;
    for (const Chain& chain : table.chains) {
        for (const Rule& rule : chain.rules) {
            for_each_reference(rule, [&](const MapReference& map) {
                const auto [place, is_new] = bounds.emplace(map.name, map.within);
                place->second = is_new ? map.within : joined(place->second, map.within);
            });
        }
    }
    return bounds;
}

bool widen(Table& table, const Table& excerpt) {
    const std::map<std::string, Bound> known = bounds(excerpt);
    bool all = true;
    for (Chain& chain : table.chains) {
        for (Rule& rule : chain.rules) {
            for_each_reference(rule, [&](MapReference& map) {
                const auto bound = known.find(map.name);
                all = all && (bound != known.end() || !find_named(excerpt.maps, map.name));
                map.within = bound == known.end() ? map.within : joined(map.within, bound->second);
            });
        }
    }
    return all;
}

}  // namespace

Rule unbounded(Rule rule) {
    for_each_reference(rule, [](MapReference& map) { map.within.reset(); });
    return rule;
}

bool same_but_bounds(const Rule& one, const Rule& other) {
    return unbounded(one) == unbounded(other);
}

bool covers(const Rule& one, const Rule& other) {
    const std::vector<Bound> of_one = bounds(one);
    const std::vector<Bound> of_other = bounds(other);
    return same_but_bounds(one, other) &&
           std::equal(of_one.begin(), of_one.end(), of_other.begin(), of_other.end(),
                      [](const Bound& a, const Bound& b) { return covers(a, b); });
}

bool widen(Ruleset& ruleset, const Ruleset& excerpt) {
    return std::all_of(ruleset.begin(), ruleset.end(), [&](Table& table) {
        const Table* known = find(excerpt, table.family);
        return !known || widen(table, *known);
    });
}

std::string text(const Statement& statement, Family family) {
    return std::visit(StatementText{family}, statement);
}

std::string text(const Rule& rule, Family family) {
    std::string line;
    for (const Statement& statement : rule.statements) {
        line += (line.empty() ? "" : " ") + text(statement, family);
    }
    return line;
}

std::optional<MapRole> MapRole::of(const Map& map, Family family) {
    MapRole role;
    role.npt = map.name.ends_with("_npt");
    role.inbound = map.name.ends_with("_inbound");
    role.key = map.name.starts_with(int2ext) ? Side::internal : Side::external;
    role.length = full_length(family);
    if (const std::size_t separator = map.name.find('_'); separator != std::string::npos) {
        const char* digits = map.name.data() + separator + 1;
        std::from_chars(digits, map.name.data() + map.name.size(), role.length);
    }
    const bool is_ours = map.values && is_length_of_pairs(family, role.length, role.npt) &&
                         (!role.inbound || (role.key == Side::external && role.length == full_length(family)));
    return is_ours && map.name == map_name(role, family) ? std::optional(role) : std::nullopt;
}

MapReference MapRole::reference(Family family) const {
    MapReference reference{.name = map_name(*this, family), .npt = npt};
    if (length != full_length(family)) {
        reference.prefix = length;
    }
    return reference;
}

std::optional<Pair> MapRole::pair(const Element& element) const {
    if (element.key == element.value) {
        return std::nullopt;
    }
    const Prefix from{element.key, length};
    const Prefix to{element.value, length};
    return key == Side::internal ? Pair{from, to, npt, element.comment} : Pair{to, from, npt, {}, inbound};
}

const Map* find(const Table& table, const MapRole& role) {
    const auto found = std::find_if(table.maps.begin(), table.maps.end(),
                                    [&](const Map& map) { return MapRole::of(map, table.family) == role; });
    return found == table.maps.end() ? nullptr : &*found;
}

const Table* find(const Ruleset& ruleset, Family family) {
    const auto found =
        std::find_if(ruleset.begin(), ruleset.end(), [&](const Table& table) { return table.family == family; });
    return found == ruleset.end() ? nullptr : &*found;
}

bool uses_expression(const std::vector<Rule>& rules) {
    return std::any_of(rules.begin(), rules.end(), [](const Rule& rule) {
        return std::any_of(rule.statements.begin(), rule.statements.end(), [](const Statement& statement) {
            return std::holds_alternative<SnatStateless>(statement);
        });
    });
}

std::string table_text(Family family, std::string_view table) {
    return keyword(family) + " " + std::string(table);
}

}  // namespace statnat
