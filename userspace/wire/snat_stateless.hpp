// SPDX-License-Identifier: GPL-2.0-or-later
// Our own expression, the content of its NFTA_EXPR_DATA, as its uapi header has it.
#pragma once

#include "ruleset/ruleset.hpp"

#include <optional>

struct nlmsghdr;

namespace statnat {

class Attributes;

void put(nlmsghdr* message, const SnatStateless& statement);

// Nothing where a required attribute is missing, or the field or a flag is none that we know.
std::optional<SnatStateless> snat_stateless_in(const Attributes& data);

}  // namespace statnat
