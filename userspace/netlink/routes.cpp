// SPDX-License-Identifier: GPL-2.0-or-later
#include "netlink/routes.hpp"

#include "wire/wire.hpp"

#include <algorithm>
#include <cstring>
#include <set>
#include <utility>

#include <linux/rtnetlink.h>
#include <net/if.h>

namespace statnat {
namespace {

Bytes ask_for(std::uint16_t type, std::uint32_t sequence) {
    Bytes question(MNL_ALIGN(sizeof(nlmsghdr)) + MNL_ALIGN(sizeof(rtmsg)));
    nlmsghdr* header = mnl_nlmsg_put_header(question.data());
    header->nlmsg_type = type;
    header->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    header->nlmsg_seq = sequence;
    mnl_nlmsg_put_extra_header(header, sizeof(rtmsg));  // of any family; that of an address is smaller
    return question;
}

// Acknowledged behind its answer, because that is none of a dump's.
Bytes ask_route(const Address& address, std::uint32_t sequence) {
    Bytes question(MNL_ALIGN(sizeof(nlmsghdr)) + MNL_ALIGN(sizeof(rtmsg)) + MNL_ATTR_HDRLEN + address.size());
    nlmsghdr* header = mnl_nlmsg_put_header(question.data());
    header->nlmsg_type = RTM_GETROUTE;
    header->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
    header->nlmsg_seq = sequence;
    auto* route = static_cast<rtmsg*>(mnl_nlmsg_put_extra_header(header, sizeof(rtmsg)));
    route->rtm_family = address.family == Family::ipv4 ? AF_INET : AF_INET6;
    route->rtm_dst_len = full_length(address.family);
    mnl_attr_put(header, RTA_DST, address.size(), address.bytes.data());
    return question;
}

template <typename T>
std::optional<T> load(Message bytes, std::size_t offset = 0) {
    T value{};
    if (bytes.size() < offset + sizeof value) {
        return std::nullopt;
    }
    std::memcpy(&value, bytes.data() + offset, sizeof value);
    return value;
}

std::optional<Address> address_of(Message bytes) {
    Address address{bytes.size() == 4 ? Family::ipv4 : Family::ipv6, {}};
    if (bytes.size() != address.size()) {
        return std::nullopt;
    }
    std::copy(bytes.begin(), bytes.end(), address.bytes.begin());
    return address;
}

std::string interface_name(unsigned index) {
    char name[IF_NAMESIZE];
    return ::if_indextoname(index, name) ? name : "interface " + std::to_string(index);
}

using Found = std::set<std::pair<Address, unsigned>>;  // with the index of the interface

void take(Found& found, const std::optional<Address>& address, unsigned index) {
    if (address) {
        found.emplace(*address, index);
    }
}

void take_address(Message message, Found& found) {
    const auto header = load<ifaddrmsg>(message, MNL_NLMSG_HDRLEN);
    if (!header) {
        return;
    }
    const std::size_t begin = MNL_NLMSG_HDRLEN + MNL_ALIGN(sizeof(ifaddrmsg));
    const Attributes attributes(message.data() + begin, message.size() - begin);
    // At the end of a link between two, IFA_ADDRESS is the other one's.
    take(found, address_of(attributes.bytes(attributes.has(IFA_LOCAL) ? IFA_LOCAL : IFA_ADDRESS)), header->ifa_index);
}

// RTA_VIA is the next hop of another family than the route's.
void take_next_hop(const Attributes& attributes, unsigned index, Found& found) {
    take(found, address_of(attributes.bytes(RTA_GATEWAY)), index);
    const Message via = attributes.bytes(RTA_VIA);
    take(found, address_of(via.subspan(std::min(sizeof(std::uint16_t), via.size()))), index);
}

void take_route(Message message, Found& found) {
    const std::size_t begin = MNL_NLMSG_HDRLEN + MNL_ALIGN(sizeof(rtmsg));
    if (message.size() < begin) {
        return;
    }
    const Attributes attributes(message.data() + begin, message.size() - begin);
    take_next_hop(attributes, load<std::uint32_t>(attributes.bytes(RTA_OIF)).value_or(0), found);
    for (Message hops = attributes.bytes(RTA_MULTIPATH); !hops.empty();) {
        const auto hop = load<rtnexthop>(hops);
        if (!hop || hop->rtnh_len < sizeof(rtnexthop) || hop->rtnh_len > hops.size()) {
            return;
        }
        take_next_hop({hops.data() + sizeof(rtnexthop), hop->rtnh_len - sizeof(rtnexthop)},
                      static_cast<unsigned>(hop->rtnh_ifindex), found);
        hops = hops.subspan(std::min<std::size_t>(RTNH_ALIGN(hop->rtnh_len), hops.size()));
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
