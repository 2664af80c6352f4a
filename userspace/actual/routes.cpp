// SPDX-License-Identifier: GPL-2.0-or-later
#include "actual/routes.hpp"

#include "error.hpp"
#include "netlink/patience.hpp"
#include "routing/parts.hpp"
#include "routing/request.hpp"

#include <cstdint>
#include <optional>
#include <set>
#include <utility>

#include <linux/rtnetlink.h>
#include <net/if.h>

namespace statnat {
namespace {

constexpr std::chrono::seconds longest(30);

Bytes ask_for(std::uint16_t type, std::uint32_t sequence) {
    Request question(type, NLM_F_DUMP, sequence);
    question.header<rtmsg>();  // of any family; that of an address is smaller
    return question.take();
}

// Acknowledged behind its answer, because that is none of a dump's.
Bytes ask_route(const Address& address, std::uint32_t sequence) {
    Request question(RTM_GETROUTE, 0, sequence);
    auto& route = question.header<rtmsg>();
    route.rtm_family = address.family == Family::ipv4 ? AF_INET : AF_INET6;
    route.rtm_dst_len = full_length(address.family);
    return question.put(RTA_DST, Message(address.bytes.data(), address.size())).take();
}

std::string interface_name(unsigned index) {
    char name[IF_NAMESIZE];
    return ::if_indextoname(index, name) ? name : "interface " + std::to_string(index);
}

// At the end of a link between two, IFA_ADDRESS is the other one's.
std::optional<Address> own_address(const Attributes& attributes) {
    return address_of(attributes.bytes(attributes.has(IFA_LOCAL) ? IFA_LOCAL : IFA_ADDRESS));
}

// Secondary ones are further ones of a network in IPv4, and in IPv6 temporary.
bool can_be_followed(const Parts<ifaddrmsg>& parts) {
    constexpr std::uint32_t never = IFA_F_TENTATIVE | IFA_F_DADFAILED | IFA_F_DEPRECATED | IFA_F_SECONDARY;
    const std::uint32_t flags =
        load<std::uint32_t>(parts.attributes.bytes(IFA_FLAGS)).value_or(parts.header.ifa_flags);
    return parts.header.ifa_scope == RT_SCOPE_UNIVERSE && (flags & never) == 0;
}

using Found = std::set<std::pair<Address, unsigned>>;  // with the index of the interface

void take_address(Message message, Found& found) {
    const auto parts = Parts<ifaddrmsg>::of(message);
    if (!parts) {
        return;
    }
    if (const auto own = own_address(parts->attributes)) {
        found.emplace(*own, parts->header.ifa_index);
    }
}

void take_route(Message message, Found& found) {
    if (const auto parts = Parts<rtmsg>::of(message)) {
        for_each_next_hop(parts->attributes,
                          [&](const Address& hop, unsigned index) { found.emplace(hop, index); });
    }
}

std::vector<Interface> named(const Found& found) {
    std::vector<Interface> all;
    for (const auto& [address, index] : found) {
        all.push_back({address, interface_name(index)});
    }
    return all;
}

}  // namespace

std::vector<Interface> read_own_addresses(Netlink& netlink) {
    Found own;
    netlink.ask(ask_for(RTM_GETADDR, netlink.next_sequence()), [&](Message message) { take_address(message, own); });
    return named(own);
}

std::vector<Interface> read_routers(Netlink& netlink) {
    Found routers;
    netlink.ask(ask_for(RTM_GETROUTE, netlink.next_sequence()), [&](Message message) { take_route(message, routers); });
    return named(routers);
}

std::vector<InterfaceAddress> read_interface_addresses(Netlink& netlink) {
    for (Patience patience(longest); patience.lasts();) {
        std::vector<InterfaceAddress> found;
        const Answer answer = netlink.ask(ask_for(RTM_GETADDR, netlink.next_sequence()), [&](Message message) {
            const auto parts = Parts<ifaddrmsg>::of(message);
            const auto own = parts && can_be_followed(*parts) ? own_address(parts->attributes) : std::nullopt;
            if (own) {
                found.push_back({interface_name(parts->header.ifa_index), *own, parts->header.ifa_prefixlen});
            }
        });
        if (!answer.refusal && !answer.interrupted && !answer.incomplete) {
            return found;
        }
    }
    throw CannotGoOn{"the kernel does not tell this machine's addresses, which pairs follow: try again"};
}

std::set<std::string> read_uplinks(Netlink& netlink) {
    std::set<std::string> uplinks;
    netlink.ask(ask_for(RTM_GETROUTE, netlink.next_sequence()), [&](Message message) {
        const auto route = Parts<rtmsg>::of(message);
        if (route && route->header.rtm_type == RTN_UNICAST && route->header.rtm_dst_len == 0) {
            for_each_way(route->attributes, [&](unsigned index) { uplinks.insert(interface_name(index)); });
        }
    });
    return uplinks;
}

std::vector<Address> without_route(Netlink& netlink, const std::vector<Address>& addresses) {
    std::vector<Address> found;
    for (const Address& address : addresses) {
        if (netlink.ask(ask_route(address, netlink.next_sequence()), [](Message) {}).refusal) {
            found.push_back(address);
        }
    }
    return found;
}

}  // namespace statnat
