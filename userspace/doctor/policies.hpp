// SPDX-License-Identifier: GPL-2.0-or-later
// IPsec's policies that name internal addresses, which packets of pairs no longer have when they are asked.
#pragma once

#include "doctor/trouble.hpp"
#include "pairs/pairs.hpp"

#include <string>
#include <vector>

namespace statnat {

// Where the destination is exempt, a policy meets what it names. Throws CannotGoOn.
Troubles troubles_with_policies(const Pairs& pairs, const std::vector<Prefix>& exempt, const std::string& file);

}  // namespace statnat
