// SPDX-License-Identifier: GPL-2.0-or-later
// Addresses that two instances claim: whose packets theirs are, the order in which tables were made would decide.
#pragma once

#include "actual/kernel.hpp"
#include "ruleset/plan.hpp"

#include <string>
#include <vector>

namespace statnat {

// Whether a plan gives pairs to addresses, as the end of a hole does, or has rules written, at all.
bool claims_any(const Plan& plan);

// A sentence for each instance that has an address of `desired` on the same side of a pair, or its mark, or where
// either has a fast path, past the other's rules. Internal
// addresses in different VRFs are different ones, and nobody claims a hole: its packets pass all rules as they are, up
// to those of who has a pair for it.
std::vector<std::string> contested(const Ruleset& desired, const std::vector<Sibling>& siblings);

}  // namespace statnat
