// SPDX-License-Identifier: GPL-2.0-or-later
// What Shorewall is configured with; a pure function.
#pragma once

#include "importers/finding.hpp"

#include <string_view>

namespace statnat {

// The file netmap of Shorewall and Shorewall6.
Reading read_shorewall_netmap(std::string_view text);

}  // namespace statnat
