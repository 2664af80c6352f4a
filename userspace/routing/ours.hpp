// SPDX-License-Identifier: GPL-2.0-or-later
// How routes, policy rules and entries for neighbours are known again as ours.
#pragma once

#include "pairs/prefix.hpp"
#include "routing/request.hpp"

#include <cstdint>

namespace statnat {

// Who made them ("proto 83"); nobody has registered it.
inline constexpr std::uint8_t our_protocol = 83;
// The routing table that only our policy rules ask ("table 83").
inline constexpr std::uint8_t our_table = 83;

// A route of ours by a link of ours, at the beginning of a request.
void put_route(Request& request, const Prefix& destination, std::uint32_t link, std::uint8_t table);

}  // namespace statnat
