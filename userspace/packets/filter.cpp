// SPDX-License-Identifier: GPL-2.0-or-later
#include "packets/filter.hpp"

#include <algorithm>
#include <cstdint>

#include <fmt/format.h>

namespace statnat {
namespace {

// Before whatever may drop it, and behind whatever may translate it.
constexpr int first_of_all = -2147483647, last_of_all = 2147483647;

constexpr const char* mark = "meta nftrace set 1 accept\n";

std::string in_hexadecimal(const Address& address) {
    std::string text = "0x";
    for (std::size_t i = 0; i < address.size(); ++i) {
        text += fmt::format("{:02x}", address.bytes[i]);
    }
    return text;
}

// All ones where a prefix has bits.
Address mask_of(const Prefix& prefix) {
    Address mask{prefix.address.family, {}};
    for (std::size_t bit = 0; bit < prefix.length; ++bit) {
        mask.bytes[bit / 8] |= static_cast<std::uint8_t>(0x80 >> bit % 8);
    }
    return mask;
}

// Of ICMP errors, by an address of what they quote, so many bits behind their own header.
std::string quoting(const Prefix& side, unsigned at) {
    const unsigned size = 8 * static_cast<unsigned>(side.address.size());
    const std::string mask = side.is_host() ? "" : " & " + in_hexadecimal(mask_of(side));
    return fmt::format("{} @th,{},{}{} == {} {}",
                       side.address.family == Family::ipv4 ? "icmp type { 3, 4, 5, 11, 12 }"
                                                           : "icmpv6 type { 1, 2, 3, 4 }",
                       at, size, mask, in_hexadecimal(side.address), mark);
}

// RFC 792, RFC 4443: the quoted header stands behind 8 bytes.
std::string marks(const Pair& pair) {
    const bool ipv4 = pair.internal.address.family == Family::ipv4;
    const unsigned source = 8 * (8 + (ipv4 ? 12U : 8U)), target = source + (ipv4 ? 32 : 128);
    std::string rules;
    for (const Prefix& side : {pair.internal, pair.external}) {
        for (const char* end : {"saddr", "daddr"}) {
            rules += fmt::format("{} {} {} {}", ipv4 ? "ip" : "ip6", end, side.text(), mark);
        }
        rules += quoting(side, source) + quoting(side, target);
    }
    return rules;
}

std::string chain(const char* name, const char* hook, int priority, const std::string& rules) {
    return fmt::format("chain {} {{\ntype filter hook {} priority {};\n{}}}\n", name, hook, priority, rules);
}

}  // namespace

std::string filter_text(const std::string& table, const Pair& pair) {
    const std::string rules = marks(pair);
    return fmt::format("table inet {} {{\nflags owner;\n{}{}{}{}}}\n", table,
                       chain(arriving, "prerouting", first_of_all, rules), chain(sent, "output", first_of_all, rules),
                       chain(received, "input", last_of_all, ""), chain(leaves, "postrouting", last_of_all, ""));
}

}  // namespace statnat
