// SPDX-License-Identifier: GPL-2.0-or-later
// Prefixes from text and back, and what can be no part of a pair.
#include "pairs/prefix.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <span>

namespace statnat {
namespace {

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
        return AddressAndLength{*address, full_length(address->family)};
    }
    const auto length = parse_length(text.substr(slash + 1), full_length(address->family));
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

std::uint8_t shortest_length(Family family) {
    return family == Family::ipv4 ? 8 : 16;
}

bool is_length_of_pairs(Family family, std::uint8_t length, bool npt) {
    return length >= shortest_length(family) && length <= (npt ? longest_npt : full_length(family)) &&
           (!npt || family == Family::ipv6);
}

Prefix Prefix::host(const Address& address) {
    return {address, full_length(address.family)};
}

Prefix Prefix::of(Address address, std::uint8_t length) {
    for (std::size_t i = length / 8U; i < address.size(); ++i) {
        address.bytes[i] &= mask(i, length);
    }
    return {address, length};
}

Prefix Prefix::common(const Address& one, const Address& other) {
    std::uint8_t length = full_length(one.family);
    while (of(one, length) != of(other, length)) {
        --length;
    }
    return of(one, length);
}

std::optional<Prefix> Prefix::parse(std::string_view text) {
    if (const auto address = Address::parse(text)) {  // as most are
        return host(*address);
    }
    const auto both = parse_both(text);
    if (!both) {
        return std::nullopt;
    }
    const Prefix prefix = of(both->address, both->length);
    return both->address == prefix.address ? std::optional(prefix) : std::nullopt;
}

std::optional<Prefix> Prefix::enclosing(std::string_view text) {
    const auto both = parse_both(text);
    return both ? std::optional(of(both->address, both->length)) : std::nullopt;
}

std::string Prefix::text() const {
    return address.text() + "/" + std::to_string(length);
}

std::string Prefix::short_text() const {
    return is_host() ? address.text() : text();
}

Address Prefix::last() const {
    Address last = address;
    for (std::size_t i = length / 8U; i < last.size(); ++i) {
        last.bytes[i] |= static_cast<std::uint8_t>(~mask(i, length));
    }
    return last;
}

bool Prefix::covers(const Prefix& other) const {
    const auto& theirs = other.address.bytes;
    const std::size_t whole = length / 8U;
    return address.family == other.address.family && length <= other.length &&
           std::equal(theirs.begin(), theirs.begin() + whole, address.bytes.begin()) &&
           (length % 8U == 0 || (theirs[whole] & mask(whole, length)) == address.bytes[whole]);
}

std::string joined(const std::vector<Prefix>& prefixes) {
    std::string list;
    for (const Prefix& prefix : prefixes) {
        list += (list.empty() ? "" : ", ") + prefix.text();
    }
    return list;
}

std::optional<std::string_view> unusable(const Prefix& prefix) {
    struct Range {
        Prefix prefix;
        std::string_view name;
    };
    static constexpr Family ipv4 = Family::ipv4;
    static constexpr Family ipv6 = Family::ipv6;
    static constexpr std::array<Range, 5> ipv4_ranges{{
        {{{ipv4, {}}, 32}, "the unspecified address"},
        {{{ipv4, {127}}, 8}, "a loopback address"},
        {{{ipv4, {169, 254}}, 16}, "a link-local address"},
        {{{ipv4, {224}}, 4}, "a multicast address"},
        {{{ipv4, {255, 255, 255, 255}}, 32}, "the broadcast address"},
    }};
    static constexpr std::array<Range, 5> ipv6_ranges{{
        {{{ipv6, {}}, 128}, "the unspecified address"},
        {{{ipv6, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}}, 128}, "a loopback address"},
        {{{ipv6, {255}}, 8}, "a multicast address"},
        {{{ipv6, {0xfe, 0x80}}, 10}, "a link-local address"},
        {{{ipv6, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255}}, 96}, "an IPv4-mapped address"},
    }};
    const bool is_ipv4 = prefix.address.family == ipv4;
    // None of them begins with another byte.
    const std::uint8_t first = prefix.address.bytes[0];
    if (prefix.length >= 8 && first != 0 && (is_ipv4 ? first != 127 && first != 169 && first < 224 : first < 0xfe)) {
        return std::nullopt;
    }
    for (const Range& range : is_ipv4 ? std::span<const Range>(ipv4_ranges) : ipv6_ranges) {
        if (range.prefix.covers(prefix) || (!prefix.is_host() && prefix.covers(range.prefix))) {
            return range.name;
        }
    }
    return std::nullopt;
}

}  // namespace statnat
