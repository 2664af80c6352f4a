// SPDX-License-Identifier: GPL-2.0-or-later
// Statements and rules as nft(8) would write them.
#include "ruleset/ruleset.hpp"

#include <charconv>

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

struct StatementText {
    Family family;

    std::string operator()(const SnatStateless& statement) const {
        std::string words = "snat_stateless " + keyword(statement.field) + " map " + text(statement.maps);
        for (const auto& [word, member] : statement_flags) {
            words += statement.*member ? " " + std::string(word) : "";
        }
        return words + (statement.else_maps.empty() ? "" : " else saddr map " + text(statement.else_maps) + " untrack");
    }

    std::string operator()(const SetAddress& statement) const {
        const std::string field = keyword(family) + " " + keyword(statement.field);
        return field + " set " + field + " map @" + statement.map;
    }

    std::string operator()(const MatchAddress& statement) const {
        return keyword(family) + " " + keyword(statement.field) + (statement.inverted ? " != @" : " @") + statement.set;
    }

    std::string operator()(const MatchOutside& statement) const {
        return keyword(family) + " " + keyword(statement.field) + " != " + statement.prefix.text();
    }

    std::string operator()(const MatchAddressType& statement) const {
        return "fib " + keyword(statement.field) + " type " +
               (statement.type == MatchAddressType::Type::local ? "local" : "unicast");
    }

    std::string operator()(const MatchForwarded& statement) const { return statement.forwarded ? "iif != 0" : "iif 0"; }

    std::string operator()(const MatchIcmpType& statement) const {
        const std::string protocol = family == Family::ipv4 ? "icmp" : "icmpv6";
        const std::string first = protocol + " type " + std::to_string(statement.first);
        return statement.first == statement.last ? first : first + "-" + std::to_string(statement.last);
    }

    std::string operator()(const MatchUntracked&) const { return "ct state untracked"; }
    std::string operator()(const Notrack&) const { return "notrack"; }
    std::string operator()(const Drop&) const { return "drop"; }
    std::string operator()(const Counter&) const { return "counter"; }
    std::string operator()(const Foreign& statement) const { return statement.expression; }
};

std::string map_name(const MapRole& role, Family family) {
    return std::string(role.key == Side::internal ? int2ext : ext2int) +
           (role.length == full_length(family) ? "" : "_" + std::to_string(role.length)) + (role.npt ? "_npt" : "");
}

std::vector<Statement> unbounded(std::vector<Statement> statements) {
    for (Statement& statement : statements) {
        if (auto* ours = std::get_if<SnatStateless>(&statement)) {
            for (std::vector<MapReference>* maps : {&ours->maps, &ours->else_maps}) {
                for (MapReference& map : *maps) {
                    map.within.reset();
                }
            }
        }
    }
    return statements;
}

}  // namespace

bool same_but_bounds(const Rule& one, const Rule& other) {
    return unbounded(one.statements) == unbounded(other.statements);
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
    role.key = map.name.starts_with(int2ext) ? Side::internal : Side::external;
    role.length = full_length(family);
    if (const std::size_t separator = map.name.find('_'); separator != std::string::npos) {
        const char* digits = map.name.data() + separator + 1;
        std::from_chars(digits, map.name.data() + map.name.size(), role.length);
    }
    const bool is_ours = map.values && is_length_of_pairs(family, role.length, role.npt);
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
    return key == Side::internal ? Pair{from, to, npt, element.comment} : Pair{to, from, npt, ""};
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

std::string table_text(Family family) {
    return keyword(family) + " " + std::string(table_name);
}

}  // namespace statnat
