// SPDX-License-Identifier: GPL-2.0-or-later
// Addresses, prefixes and pairs: plain values, no I/O, no kernel or library header.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
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

// What a prefix has in it that can never be part of a pair ("a multicast address"), or nothing if all of it can.
std::optional<std::string_view> unusable(const Prefix& prefix);

struct Traffic {
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0;  // from the IP header on

    auto operator<=>(const Traffic&) const = default;
};

enum class Side : std::uint8_t { internal, external };

constexpr Side other(Side side) {
    return side == Side::internal ? Side::external : Side::internal;
}

// A text that most pairs do not have: where there is none, it is a pointer and no more.
class Comment {
public:
    Comment() = default;
    Comment(std::string_view text);
    Comment(const std::string& text) : Comment(std::string_view(text)) {}
    Comment(const char* text) : Comment(std::string_view(text)) {}
    Comment(const Comment& comment)
        : text_(comment.text_ ? std::make_unique<const std::string>(*comment.text_) : nullptr) {}
    Comment(Comment&&) = default;
    ~Comment() = default;
    Comment& operator=(Comment&&) = default;
    Comment& operator=(const Comment& comment) { return *this = Comment(comment); }

    bool empty() const { return !text_; }
    const std::string& text() const;

    std::strong_ordering operator<=>(const Comment& comment) const { return text() <=> comment.text(); }
    bool operator==(const Comment& comment) const { return text() == comment.text(); }

private:
    std::unique_ptr<const std::string> text_;  // null: empty
};

// One internal host or prefix bound to one external one of the same family and length, in both directions.
struct Pair {
    Prefix internal;
    Prefix external;
    bool npt = false;  // checksum-neutral (RFC 6296)
    Comment comment{};

    const Prefix& side(Side side) const { return side == Side::internal ? internal : external; }
    std::string text() const;  // "fd00:1::/48 2001:db8:1::/48 npt"

    auto operator<=>(const Pair&) const = default;
};

}  // namespace statnat
