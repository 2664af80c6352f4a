// SPDX-License-Identifier: GPL-2.0-or-later
#include "routing/parts.hpp"

#include <algorithm>

#include <linux/rtnetlink.h>

namespace statnat {
namespace {

using Visit = std::function<void(const Address&, unsigned)>;

// RTA_VIA is the next hop of another family than the route's.
void take_next_hop(const Attributes& attributes, unsigned index, const Visit& visit) {
    const Message via = attributes.bytes(RTA_VIA);
    for (const Message bytes :
         {attributes.bytes(RTA_GATEWAY), via.subspan(std::min(sizeof(std::uint16_t), via.size()))}) {
        if (const auto address = address_of(bytes)) {
            visit(*address, index);
        }
    }
}

// Calls `visit` with what a route says of each of its ways, and the index of the interface.
void for_each_part(const Attributes& route, const std::function<void(const Attributes&, unsigned)>& visit) {
    if (const auto index = load<std::uint32_t>(route.bytes(RTA_OIF))) {
        visit(route, *index);
    }
    for (Message hops = route.bytes(RTA_MULTIPATH); !hops.empty();) {
        const auto hop = load<rtnexthop>(hops);
        if (!hop || hop->rtnh_len < sizeof(rtnexthop) || hop->rtnh_len > hops.size()) {
            return;
        }
        visit({hops.data() + sizeof(rtnexthop), hop->rtnh_len - sizeof(rtnexthop)},
              static_cast<unsigned>(hop->rtnh_ifindex));
        hops = hops.subspan(std::min<std::size_t>(RTNH_ALIGN(hop->rtnh_len), hops.size()));
    }
}

}  // namespace

std::optional<Address> address_of(Message bytes) {
    Address address{bytes.size() == 4 ? Family::ipv4 : Family::ipv6, {}};
    if (bytes.size() != address.size()) {
        return std::nullopt;
    }
    std::copy(bytes.begin(), bytes.end(), address.bytes.begin());
    return address;
}

void for_each_next_hop(const Attributes& route, const Visit& visit) {
    for_each_part(route, [&](const Attributes& part, unsigned index) { take_next_hop(part, index, visit); });
}

void for_each_way(const Attributes& route, const std::function<void(unsigned)>& visit) {
    for_each_part(route, [&](const Attributes&, unsigned index) { visit(index); });
}

}  // namespace statnat
