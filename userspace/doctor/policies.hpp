// SPDX-License-Identifier: GPL-2.0-or-later
// IPsec's policies that name internal addresses, which packets of pairs no longer have when they are asked.
#pragma once

#include "doctor/trouble.hpp"
#include "ruleset/inventory.hpp"

#include <string>

namespace statnat {

// Where the destination is exempt, or none of the only ones, a policy meets what it names. Throws CannotGoOn.
Troubles troubles_with_policies(const Inventory& there, const std::string& file);

}  // namespace statnat
