// SPDX-License-Identifier: GPL-2.0-or-later
// What is configured by statements of one line each, each a binding by itself; pure functions.
#pragma once

#include "importers/finding.hpp"

#include <string_view>

namespace statnat {

// "ip nat inside source static" and "nat66 prefix" of IOS, as in its running configuration.
Reading read_cisco(std::string_view text);

// The file netmap of Shorewall and Shorewall6.
Reading read_shorewall_netmap(std::string_view text);

// "binat on" and "binat-to" of pf, as pf.conf has them or pfctl prints them.
Reading read_pf_binat(std::string_view text);

// Jool's explicit address mappings, of IPv6 to IPv4: two of them that share the IPv6 prefix are a pair, the first of
// them its internal side. The table as printed, as CSV, as commands that add to it, or as JSON.
Reading read_jool_eam(std::string_view text);

}  // namespace statnat
