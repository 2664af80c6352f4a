// SPDX-License-Identifier: GPL-2.0-or-later
// Statements in the expressions of a rule: what is written for a statement is what is recognized as it.
#pragma once

#include "ruleset/ruleset.hpp"
#include "wire/message.hpp"

namespace statnat {

// Of the content of NFTA_RULE_EXPRESSIONS.
Rule rule_in(Message expressions, Family family);

}  // namespace statnat
