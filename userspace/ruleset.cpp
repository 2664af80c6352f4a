// SPDX-License-Identifier: GPL-2.0-or-later
// Statements and rules as nft(8) would write them.
#include "ruleset.hpp"

namespace statnat {
namespace {

std::string name(Field field) {
    return field == Field::source ? "saddr" : "daddr";
}

std::string words(const SnatStateless& statement) {
    return "snat_stateless " + name(statement.field) + " map @" + statement.map +
           (statement.notrack ? " notrack" : "") + (statement.untrack ? " untrack" : "") +
           (statement.untracked ? " untracked" : "") + (statement.tracked ? " tracked" : "");
}

std::string words(const SetAddress& statement) {
    const std::string field = "ip " + name(statement.field);
    return field + " set " + field + " map @" + statement.map;
}

std::string words(const MatchAddress& statement) {
    return "ip " + name(statement.field) + (statement.inverted ? " != @" : " @") + statement.set;
}

std::string words(const MatchIcmpType& statement) {
    const std::string first = "icmp type " + std::to_string(statement.first);
    return statement.first == statement.last ? first : first + "-" + std::to_string(statement.last);
}

std::string words(const MatchUntracked&) {
    return "ct state untracked";
}

std::string words(const Notrack&) {
    return "notrack";
}

std::string words(const Counter&) {
    return "counter";
}

std::string words(const Foreign& statement) {
    return statement.expression;
}

}  // namespace

std::string text(const Statement& statement) {
    return std::visit([](const auto& alternative) { return words(alternative); }, statement);
}

std::string text(const Rule& rule) {
    std::string line;
    for (const Statement& statement : rule.statements) {
        line += (line.empty() ? "" : " ") + text(statement);
    }
    return line;
}

}  // namespace statnat
