// SPDX-License-Identifier: GPL-2.0-or-later
// What Jool is configured with; a pure function.
#pragma once

#include "importers/finding.hpp"

#include <string_view>

namespace statnat {

// Jool's explicit address mappings, of IPv6 to IPv4: two of them that share the IPv6 prefix are a pair, the first of
// them its internal side. The table as printed, as CSV, as commands that add to it, or as JSON.
Reading read_jool_eam(std::string_view text);

}  // namespace statnat
