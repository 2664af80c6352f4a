// SPDX-License-Identifier: GPL-2.0-or-later
// config.xml of pfSense and OPNsense: 1:1 NAT and NPt; a pure function.
#pragma once

#include "importers/finding.hpp"

#include <string_view>

namespace statnat {

// Both are binat rules of pf, which replaces prefixes as they are: NPt, too, is plain there.
Reading read_config_xml(std::string_view text);

}  // namespace statnat
