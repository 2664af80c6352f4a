// SPDX-License-Identifier: GPL-2.0-or-later
// A pair: what is bound to what.
#pragma once

#include "pairs/comment.hpp"
#include "pairs/prefix.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace statnat {

enum class Side : std::uint8_t { internal, external };

constexpr Side other(Side side) {
    return side == Side::internal ? Side::external : Side::internal;
}

// One internal host or prefix bound to one external one of the same family and length: in both directions, or inbound
// only, as further addresses by which a host is reached that answers from that of its pair.
struct Pair {
    Prefix internal;
    Prefix external;
    bool npt = false;  // checksum-neutral (RFC 6296)
    Comment comment{};
    bool inbound = false;

    const Prefix& side(Side side) const { return side == Side::internal ? internal : external; }
    std::string text() const;  // "fd00:1::/48 2001:db8:1::/48 npt"
    std::string_view kind() const;  // "npt", "inbound", or nothing

    auto operator<=>(const Pair&) const = default;
};

// The same with its comment behind it, fit for a terminal: "10.0.0.2 198.51.100.2 # mail"
std::string with_comment(const Pair& pair);

}  // namespace statnat
