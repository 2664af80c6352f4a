// SPDX-License-Identifier: GPL-2.0-or-later
// Addresses from text and back.
#include "pairs/address.hpp"

#include <arpa/inet.h>

#include <algorithm>

namespace statnat {
namespace {

std::optional<Address> parse_ipv4(std::string_view text) {
    std::array<char, INET_ADDRSTRLEN> terminated{};
    if (text.size() >= terminated.size()) {
        return std::nullopt;
    }
    std::copy(text.begin(), text.end(), terminated.begin());
    const char* at = terminated.data();
    Address address;
    return address.take_ipv4(at) && at == terminated.data() + text.size() ? std::optional(address) : std::nullopt;
}

std::optional<Address> parse_ipv6(std::string_view text) {
    std::array<char, INET6_ADDRSTRLEN> terminated{};
    if (text.size() >= terminated.size() || text.find('\0') != std::string_view::npos) {
        return std::nullopt;
    }
    std::copy(text.begin(), text.end(), terminated.begin());
    Address address{Family::ipv6, {}};
    return inet_pton(AF_INET6, terminated.data(), address.bytes.data()) == 1 ? std::optional(address) : std::nullopt;
}

int address_family(Family family) {
    return family == Family::ipv4 ? AF_INET : AF_INET6;
}

}  // namespace

std::string_view name(Family family) {
    return family == Family::ipv4 ? "IPv4" : "IPv6";
}

std::optional<Address> Address::parse(std::string_view text) {
    return text.find(':') == std::string_view::npos ? parse_ipv4(text) : parse_ipv6(text);
}

// Four numbers without leading zeros, as inet_pton(3) has them. Files hold millions: each byte is looked at once, and
// without asking where the text ends.
bool Address::take_ipv4(const char*& text) {
    *this = {};
    const char* at = text;
    const auto digit = [&] { return static_cast<unsigned>(*at) - '0'; };
    for (std::size_t i = 0; i < 4; ++i) {
        if (i > 0 && *at++ != '.') {
            return false;
        }
        unsigned number = digit();
        if (number > 9) {
            return false;
        }
        if (++at; number != 0 && digit() <= 9) {
            number = 10 * number + digit();
            if (++at; digit() <= 9) {
                number = 10 * number + digit();
                ++at;
            }
        }
        if (number > 255) {
            return false;
        }
        bytes[i] = static_cast<std::uint8_t>(number);
    }
    text = at;
    return true;
}

std::string Address::text() const {
    std::array<char, INET6_ADDRSTRLEN> terminated{};
    inet_ntop(address_family(family), bytes.data(), terminated.data(), terminated.size());
    return terminated.data();
}

std::optional<Address> next(Address address) {
    for (std::size_t i = address.size(); i-- > 0;) {
        if (++address.bytes[i] != 0) {
            return address;
        }
    }
    return std::nullopt;
}

std::uint8_t full_length(Family family) {
    return family == Family::ipv4 ? 32 : 128;
}

}  // namespace statnat
