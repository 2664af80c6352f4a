// SPDX-License-Identifier: GPL-2.0-or-later
// What `nft -j list ruleset` prints; a pure function. Text of nft's own language is for nft to read.
#pragma once

#include "importers/finding.hpp"

#include <string_view>

namespace statnat {

// Translation by maps or to one address, of connections (snat, dnat) and packet by packet (ip saddr set). Whatever else
// stands in a chain of type nat is left, and in other chains what translates.
Reading read_nft_json(std::string_view text);

}  // namespace statnat
