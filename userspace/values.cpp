// SPDX-License-Identifier: GPL-2.0-or-later
// Addresses and prefixes from text and back.
#include "values.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace statnat {
namespace {

int address_family(Family family) {
    return family == Family::ipv4 ? AF_INET : AF_INET6;
}

std::uint8_t full_length(const Address& address) {
    return address.family == Family::ipv4 ? 32 : 128;
}

std::optional<std::uint8_t> parse_length(std::string_view text, std::uint8_t longest) {
    const bool zero_padded = text.size() > 1 && text.front() == '0';
    std::uint8_t length = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
    if (zero_padded || error != std::errc{} || end != text.data() + text.size() || length > longest) {
        return std::nullopt;
    }
    return length;
}

struct AddressAndLength {
    Address address;
    std::uint8_t length;
};

std::optional<AddressAndLength> parse_both(std::string_view text) {
    const std::size_t slash = text.find('/');
    const auto address = Address::parse(text.substr(0, slash));
    if (!address) {
        return std::nullopt;
    }
    if (slash == std::string_view::npos) {
        return AddressAndLength{*address, full_length(*address)};
    }
    const auto length = parse_length(text.substr(slash + 1), full_length(*address));
    if (!length) {
        return std::nullopt;
    }
    return AddressAndLength{*address, *length};
}

// The bits of byte `index` that a prefix of `length` bits fixes.
std::uint8_t mask(std::size_t index, std::uint8_t length) {
    const std::size_t bits = std::clamp<std::size_t>(length, 8 * index, 8 * index + 8) - 8 * index;
    return static_cast<std::uint8_t>(0xff00 >> bits);
}

}  // namespace

std::string_view name(Family family) {
    return family == Family::ipv4 ? "IPv4" : "IPv6";
}

std::optional<Address> Address::parse(std::string_view text) {
    std::array<char, INET6_ADDRSTRLEN> terminated{};
    if (text.size() >= terminated.size() || text.find('\0') != std::string_view::npos) {
        return std::nullopt;
    }
    std::copy(text.begin(), text.end(), terminated.begin());

    Address address;
    address.family = text.find(':') == std::string_view::npos ? Family::ipv4 : Family::ipv6;
    if (inet_pton(address_family(address.family), terminated.data(), address.bytes.data()) != 1) {
        return std::nullopt;
    }
    return address;
}

std::string Address::text() const {
    std::array<char, INET6_ADDRSTRLEN> terminated{};
    inet_ntop(address_family(family), bytes.data(), terminated.data(), terminated.size());
    return terminated.data();
}

std::optional<std::string_view> unusable(const Address& address) {
    constexpr std::array<std::uint8_t, 16> unspecified{};
    constexpr std::array<std::uint8_t, 16> loopback{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
    constexpr std::array<std::uint8_t, 16> broadcast{255, 255, 255, 255};
    constexpr std::array<std::uint8_t, 12> ipv4_mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255};

    const bool ipv4 = address.family == Family::ipv4;
    const std::uint8_t first = address.bytes[0];
    if (address.bytes == unspecified) {
        return "is the unspecified address";
    }
    if (ipv4 ? first == 127 : address.bytes == loopback) {
        return "is a loopback address";
    }
    if (ipv4 ? first >= 224 && first < 240 : first == 255) {
        return "is a multicast address";
    }
    if (ipv4 && address.bytes == broadcast) {
        return "is the broadcast address";
    }
    if (!ipv4 && first == 0xfe && (address.bytes[1] & 0xc0) == 0x80) {
        return "is a link-local address";
    }
    if (!ipv4 && std::equal(ipv4_mapped.begin(), ipv4_mapped.end(), address.bytes.begin())) {
        return "is an IPv4-mapped address";
    }
    return std::nullopt;
}

std::optional<Prefix> Prefix::parse(std::string_view text) {
    const auto both = parse_both(text);
    const auto prefix = enclosing(text);
    return both && both->address == prefix->address ? prefix : std::nullopt;
}

std::optional<Prefix> Prefix::enclosing(std::string_view text) {
    const auto both = parse_both(text);
    if (!both) {
        return std::nullopt;
    }
    Prefix prefix{both->address, both->length};
    for (std::size_t i = 0; i < prefix.address.size(); ++i) {
        prefix.address.bytes[i] &= mask(i, prefix.length);
    }
    return prefix;
}

std::string Prefix::text() const {
    return address.text() + "/" + std::to_string(length);
}

Address Prefix::last() const {
    Address last = address;
    for (std::size_t i = 0; i < last.size(); ++i) {
        last.bytes[i] |= static_cast<std::uint8_t>(~mask(i, length));
    }
    return last;
}

}  // namespace statnat
