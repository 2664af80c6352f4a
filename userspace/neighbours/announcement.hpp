// SPDX-License-Identifier: GPL-2.0-or-later
// Tells a network unasked where an address is now: without that, whoever knew it elsewhere sends there until it doubts.
#pragma once

#include "neighbours/answers.hpp"
#include "wire/message.hpp"

#include <array>
#include <cstddef>

namespace statnat {

using Hardware = std::array<std::uint8_t, 6>;

// A whole frame: an announcement of ARP (RFC 5227, 3), or an unsolicited neighbour advertisement to all nodes that
// overrides what they know (RFC 4861, 7.2.6).
Bytes announcement(const Address& address, const Hardware& hardware);

// Sends one for each external address that is answered for, as many a second as a switch and its hosts can take.
// Returns how many. Throws CannotGoOn.
std::size_t announce(const Answers& answers, const Neighbourhood& around);

}  // namespace statnat
