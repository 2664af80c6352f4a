// SPDX-License-Identifier: GPL-2.0-or-later
// Addresses that two instances claim: whose packets theirs are, the order in which tables were made would decide.
#pragma once

#include "netlink/kernel.hpp"
#include "ruleset/plan.hpp"

#include <string>
#include <vector>

namespace statnat {

// Whether a plan gives pairs to addresses at all.
bool claims_any(const Plan& plan);

// A sentence for each instance that has an address already to which a plan gives a pair, on the same side.
std::vector<std::string> contested(const Plan& plan, const std::vector<Sibling>& siblings);

}  // namespace statnat
