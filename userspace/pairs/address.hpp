// SPDX-License-Identifier: GPL-2.0-or-later
// Addresses: plain values, from text and back.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include <endian.h>

namespace statnat {

enum class Family : std::uint8_t { ipv4, ipv6 };

inline constexpr std::array<Family, 2> families{Family::ipv4, Family::ipv6};  // ascending

std::string_view name(Family family);  // "IPv4"

// Eight bytes in network byte order as a number: whatever is sorted by address compares these.
inline std::uint64_t number_at(const std::uint8_t* bytes) {
    std::uint64_t number;
    std::memcpy(&number, bytes, sizeof number);
    return be64toh(number);
}

// An IPv4 or IPv6 address in network byte order; IPv4 uses the first 4 bytes, the rest are 0.
struct Address {
    Family family = Family::ipv4;
    std::array<std::uint8_t, 16> bytes{};

    static std::optional<Address> parse(std::string_view text);
    // Becomes the IPv4 address at `at`, which moves behind it; false if there is none. Whatever follows, there must be
    // something that is no digit, such as the end of a line or of a C string.
    bool take_ipv4(const char*& at);
    std::string text() const;  // canonical (RFC 5952)
    std::size_t size() const { return family == Family::ipv4 ? 4 : 16; }

    std::strong_ordering operator<=>(const Address& address) const {
        if (family != address.family) {
            return family <=> address.family;
        }
        const auto first = number_at(bytes.data()) <=> number_at(address.bytes.data());
        return first != 0 ? first : number_at(bytes.data() + 8) <=> number_at(address.bytes.data() + 8);
    }
    bool operator==(const Address&) const = default;
};

// The address after `address`, or nothing after the last one.
std::optional<Address> next(Address address);

std::uint8_t full_length(Family family);  // of a prefix, in bits

}  // namespace statnat
