// SPDX-License-Identifier: GPL-2.0-or-later
// A packet that could be one of a pair's: values, and its bytes.
#pragma once

#include "neighbours/neighbourhood.hpp"
#include "pairs/address.hpp"
#include "wire/message.hpp"

#include <array>
#include <cstdint>
#include <string>

namespace statnat {

enum class Way : std::uint8_t { outbound, inbound };

struct Probe {
    Way way = Way::outbound;
    Address internal{};
    Address external{};
    Address outside{};  // the other end
    int link = 0;       // by which it comes in
    Link device{};
    std::uint32_t fwmark = 0;  // by which it is routed, once its target is translated; 0: by none

    Family family() const { return internal.family; }
    // As it comes in, and as it must leave.
    const Address& source() const { return way == Way::outbound ? internal : outside; }
    const Address& target() const { return way == Way::outbound ? outside : external; }
    const Address& leaves_from() const { return way == Way::outbound ? external : outside; }
    const Address& leaves_to() const { return way == Way::outbound ? outside : internal; }

    std::string text() const;  // "what 10.0.0.2 sends to 193.0.14.129"
};

// By what a packet is known as a probe, whatever becomes of its addresses: what it carries, and its ports.
struct Mark {
    std::array<std::uint8_t, 8> payload{};
    std::uint16_t inside_port = 0;

    static Mark random();
};

inline constexpr std::uint16_t outside_port = 443;

// Where the payload stands behind the transport header of the probe, and behind that of an ICMP error about it, in
// bits.
inline constexpr unsigned payload_at = 20 * 8;
inline constexpr unsigned quoted_at_ipv4 = (8 + 20 + 20) * 8;
inline constexpr unsigned quoted_at_ipv6 = (8 + 40 + 20) * 8;

// A whole frame: what begins a connection of the inside's, or the answer to that. It may be forwarded once.
Bytes frame(const Probe& probe, const Mark& mark);

}  // namespace statnat
