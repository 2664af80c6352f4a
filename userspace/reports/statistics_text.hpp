// SPDX-License-Identifier: GPL-2.0-or-later
// What `stats` prints.
#pragma once

#include "reports/statistics.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace statnat {

// `explained`: with a sentence for each line.
std::string as_text(const std::vector<FamilyStatistics>& all, bool explained, std::string_view table);
std::string as_json(const std::vector<FamilyStatistics>& all, bool explained);

}  // namespace statnat
