// SPDX-License-Identifier: GPL-2.0-or-later
// Pairs with their traffic as text: a table for people, JSON and CSV for programs; pure functions.
#pragma once

#include "ruleset/inventory.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace statnat {

std::string as_table(const std::vector<CountedPair>& pairs);
std::string as_json(const std::vector<CountedPair>& pairs);
std::string as_csv(const std::vector<CountedPair>& pairs);  // RFC 4180, but lines end with \n

}  // namespace statnat
