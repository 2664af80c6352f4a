// SPDX-License-Identifier: GPL-2.0-or-later
// Our own expression, the content of its NFTA_EXPR_DATA, as its uapi header has it.
#pragma once

#include "ruleset/ruleset.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>

struct nlmsghdr;

namespace statnat {

class Attributes;

void put(nlmsghdr* message, const SnatStateless& statement);

// Nothing where a required attribute is missing, or the field or a flag is none that we know.
std::optional<SnatStateless> snat_stateless_in(const Attributes& data);

// Whether an attribute is not what the expression does, but what it has seen.
bool is_seen_by_snat_stateless(std::size_t attribute);
std::uint64_t dropped_in(const Attributes& data);
// Nothing where they are not told: by an older module, or of a rule with too many maps.
std::optional<Counts> counts_in(const Attributes& data);

}  // namespace statnat
