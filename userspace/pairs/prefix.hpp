// SPDX-License-Identifier: GPL-2.0-or-later
// Prefixes, of which a host is the longest, and which of them can be a side of a pair.
#pragma once

#include "pairs/address.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace statnat {

// Of the prefixes of pairs, and of those that npt translates (RFC 6296, 3.5).
std::uint8_t shortest_length(Family family);
inline constexpr std::uint8_t longest_npt = 64;
bool is_length_of_pairs(Family family, std::uint8_t length, bool npt);

// The leading `length` bits of `address`; the rest of it is 0. One of full length is a host.
struct Prefix {
    Address address;
    std::uint8_t length = 32;

    static Prefix host(const Address& address);
    // `length` bits of `address`; what is behind them is cleared.
    static Prefix of(Address address, std::uint8_t length);
    // The longest that covers both addresses, of one family.
    static Prefix common(const Address& one, const Address& other);
    // "10.0.0.0/8", or an address alone (a prefix of full length); host bits must be 0.
    static std::optional<Prefix> parse(std::string_view text);
    // The same, but host bits are cleared: "10.1.2.3/8" is in "10.0.0.0/8".
    static std::optional<Prefix> enclosing(std::string_view text);
    std::string text() const;
    std::string short_text() const;  // a host without its length
    Address first() const { return address; }
    Address last() const;
    bool is_host() const { return length == full_length(address.family); }
    bool covers(const Prefix& other) const;
    bool covers(const Address& other) const { return covers(host(other)); }

    auto operator<=>(const Prefix&) const = default;
};

// "10.0.0.0/8, fd00::/8"
std::string joined(const std::vector<Prefix>& prefixes);

// What a prefix has in it that can never be part of a pair ("a multicast address"), or nothing if all of it can.
std::optional<std::string_view> unusable(const Prefix& prefix);

}  // namespace statnat
