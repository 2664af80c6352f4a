// SPDX-License-Identifier: GPL-2.0-or-later
// A netlink message and a datagram of them, as bytes; how logs call them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace statnat {

using Bytes = std::vector<std::uint8_t>;
using Message = std::span<const std::uint8_t>;  // one netlink message, from its header on, 4-byte aligned

// "NEWRULE", "BATCH_BEGIN", ...; for logs.
std::string message_name(std::uint16_t type);

// Logs each message of a datagram by name, at the level debug.
void log(const char* direction, Message datagram);

}  // namespace statnat
