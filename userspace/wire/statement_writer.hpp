// SPDX-License-Identifier: GPL-2.0-or-later
// Statements as expressions of a rule.
#pragma once

#include "ruleset/ruleset.hpp"

struct nlmsghdr;

namespace statnat {

// Into the list of expressions that is open in `message`; a counter starts at `traffic`.
void put(nlmsghdr* message, const Statement& statement, Family family, const Traffic& traffic);

// A rule's expressions, the content of NFTA_RULE_EXPRESSIONS; its counter starts at the rule's traffic.
void put(nlmsghdr* message, const Rule& rule, Family family);

}  // namespace statnat
