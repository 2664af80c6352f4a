// SPDX-License-Identifier: GPL-2.0-or-later
// What routers are configured with by commands of which several make a rule; pure functions.
#pragma once

#include "importers/finding.hpp"

#include <string_view>

namespace statnat {

// Static nat of Junos, as "show configuration | display set" prints it.
Reading read_juniper(std::string_view text);

// Nat and nat66 of VyOS, as "show configuration commands" prints it.
Reading read_vyos(std::string_view text);

}  // namespace statnat
