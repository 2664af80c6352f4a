// SPDX-License-Identifier: GPL-2.0-or-later
#include "actual/routes.hpp"

#include "routing/parts.hpp"
#include "routing/request.hpp"

#include <set>
#include <utility>

#include <linux/rtnetlink.h>
#include <net/if.h>

namespace statnat {
namespace {

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

using Found = std::set<std::pair<Address, unsigned>>;  // with the index of the interface

void take_address(Message message, Found& found) {
    const auto parts = Parts<ifaddrmsg>::of(message);
    if (!parts) {
        return;
    }
    // At the end of a link between two, IFA_ADDRESS is the other one's.
    const Attributes& attributes = parts->attributes;
    if (const auto own = address_of(attributes.bytes(attributes.has(IFA_LOCAL) ? IFA_LOCAL : IFA_ADDRESS))) {
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
