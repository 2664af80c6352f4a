// SPDX-License-Identifier: GPL-2.0-or-later
// The table that has packets of a pair traced: it changes none, and drops none.
#pragma once

#include "pairs/pair.hpp"

#include <string>

namespace statnat {

// Where a packet is seen first, and where last.
inline constexpr const char* arriving = "arriving";
inline constexpr const char* sent = "sent";
inline constexpr const char* leaves = "leaving";
inline constexpr const char* received = "received";

// As nft(8) would load it. Packets count that come from or go to either side of the pair, and ICMP errors that quote
// one of these.
std::string filter_text(const std::string& table, const Pair& pair);

}  // namespace statnat
