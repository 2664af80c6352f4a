// SPDX-License-Identifier: GPL-2.0-or-later
// What pf is configured with; a pure function.
#pragma once

#include "importers/finding.hpp"

#include <string_view>

namespace statnat {

// "binat on" and "binat-to" of pf, as pf.conf has them or pfctl prints them.
Reading read_pf_binat(std::string_view text);

}  // namespace statnat
