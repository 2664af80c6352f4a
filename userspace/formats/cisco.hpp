// SPDX-License-Identifier: GPL-2.0-or-later
// What IOS of Cisco is configured with; a pure function.
#pragma once

#include "importers/finding.hpp"

#include <string_view>

namespace statnat {

// "ip nat inside source static" and "nat66 prefix" of IOS, as in its running configuration.
Reading read_cisco(std::string_view text);

}  // namespace statnat
