// SPDX-License-Identifier: GPL-2.0-or-later
// Statements as expressions of a rule, and back; what is written for a statement is what is recognized as it.
#pragma once

#include "ruleset/ruleset.hpp"
#include "wire/message.hpp"

#include <optional>

struct nlmsghdr;

namespace statnat {

class Attributes;

// A rule's expressions, the content of NFTA_RULE_EXPRESSIONS; its counter starts at the rule's traffic.
void put(nlmsghdr* message, const Rule& rule, Family family);
Rule rule_in(Message expressions, Family family);

// Our own expression, the content of its NFTA_EXPR_DATA. Nothing is found where a required attribute is missing, or the
// field or a flag is none that we know.
void put(nlmsghdr* message, const SnatStateless& statement);
std::optional<SnatStateless> snat_stateless_in(const Attributes& data);

}  // namespace statnat
