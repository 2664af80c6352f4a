// SPDX-License-Identifier: GPL-2.0-or-later
// Statements as expressions of a rule.
#pragma once

#include "ruleset/ruleset.hpp"

#include <cstdint>

struct nlmsghdr;

namespace statnat {

// A range as two comparisons, as nft writes it before 1.1 and this tool does, or as one expression, as nft does since.
enum class Ranges : std::uint8_t { two_comparisons, one_expression };

// Into the list of expressions that is open in `message`; a counter starts at `traffic`.
void put(nlmsghdr* message, const Statement& statement, Family family, const Traffic& traffic,
         Ranges ranges = Ranges::two_comparisons);

// A rule's expressions, the content of NFTA_RULE_EXPRESSIONS; its counter starts at the rule's traffic.
void put(nlmsghdr* message, const Rule& rule, Family family);

}  // namespace statnat
