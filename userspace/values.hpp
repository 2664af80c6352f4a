// SPDX-License-Identifier: GPL-2.0-or-later
// Addresses, prefixes and pairs: plain values, no I/O, no kernel or library header.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace statnat {

enum class Family : std::uint8_t { ipv4, ipv6 };

inline constexpr std::array<Family, 2> families{Family::ipv4, Family::ipv6};  // ascending

std::string_view name(Family family);  // "IPv4"

// An IPv4 or IPv6 address in network byte order; IPv4 uses the first 4 bytes, the rest are 0.
struct Address {
    Family family = Family::ipv4;
    std::array<std::uint8_t, 16> bytes{};

    static std::optional<Address> parse(std::string_view text);
    std::string text() const;  // canonical (RFC 5952)
    std::size_t size() const { return family == Family::ipv4 ? 4 : 16; }

    auto operator<=>(const Address&) const = default;
};

// Why an address can never be one side of a pair ("is a multicast address"), or nothing if it can.
std::optional<std::string_view> unusable(const Address& address);

// The leading `length` bits of `address`; the rest of it is 0.
struct Prefix {
    Address address;
    std::uint8_t length = 32;

    // "10.0.0.0/8", or an address alone (a prefix of full length); host bits must be 0.
    static std::optional<Prefix> parse(std::string_view text);
    // The same, but host bits are cleared: "10.1.2.3/8" is in "10.0.0.0/8".
    static std::optional<Prefix> enclosing(std::string_view text);
    std::string text() const;
    Address first() const { return address; }
    Address last() const;

    auto operator<=>(const Prefix&) const = default;
};

struct Traffic {
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0;  // from the IP header on

    auto operator<=>(const Traffic&) const = default;
};

// One internal address bound to one external address of the same family, in both directions.
struct Pair {
    Address internal;
    Address external;
    std::string comment;

    auto operator<=>(const Pair&) const = default;
};

enum class Engine : std::uint8_t { expression, native };

// Where packets and bytes are counted; a counter per pair costs memory on every CPU.
enum class Counters : std::uint8_t { pair, rule, off };

}  // namespace statnat
