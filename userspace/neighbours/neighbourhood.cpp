// SPDX-License-Identifier: GPL-2.0-or-later
#include "neighbours/neighbourhood.hpp"

#include "error.hpp"
#include "netlink/patience.hpp"
#include "routing/parts.hpp"
#include "routing/request.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <functional>

#include <fmt/format.h>
#include <linux/neighbour.h>
#include <net/if.h>

namespace statnat {
namespace {

constexpr std::chrono::seconds longest(30);

// All of a kind, or as the header says.
template <typename Header>
Bytes ask_all(std::uint16_t type, const Header& header, std::uint32_t sequence) {
    Request question(type, NLM_F_DUMP, sequence);
    question.header<Header>() = header;
    return question.take();
}

constexpr std::uint8_t number_of(Family family) {
    return family == Family::ipv4 ? AF_INET : AF_INET6;
}

// Again where somebody has changed it meanwhile.
template <typename Header>
void dump(Netlink& netlink, std::uint16_t type, const std::function<void(const Parts<Header>&)>& each,
          const Header& header = {}) {
    for (Patience patience(longest); patience.lasts();) {
        std::vector<Bytes> messages;
        const Answer answer =
            netlink.ask(ask_all<Header>(type, header, netlink.next_sequence()),
                        [&](Message message) { messages.emplace_back(message.begin(), message.end()); });
        if (answer.refusal && answer.refusal->error == EAFNOSUPPORT) {
            return;  // a kernel without IPv6
        }
        if (answer.refusal) {
            throw CannotGoOn{fmt::format("the kernel does not tell its links, addresses and routes: {}",
                                         std::strerror(answer.refusal->error))};
        }
        if (!answer.interrupted && !answer.incomplete) {
            for (const Bytes& message : messages) {
                if (const auto parts = Parts<Header>::of(message)) {
                    each(*parts);
                }
            }
            return;
        }
    }
    throw CannotGoOn{"this machine's links, addresses or routes change all the time: try again while they do not"};
}

void take_link(const Parts<ifinfomsg>& link, Neighbourhood& around) {
    const auto& [header, attributes] = link;
    Link taken{attributes.text(IFLA_IFNAME), attributes.text(IFLA_IFALIAS)};
    taken.up = (header.ifi_flags & IFF_UP) != 0;
    const Message hardware = attributes.bytes(IFLA_ADDRESS);
    taken.resolves = (header.ifi_flags & (IFF_LOOPBACK | IFF_NOARP | IFF_POINTOPOINT)) == 0 &&
                     hardware.size() == taken.hardware.size();
    if (taken.resolves) {
        std::copy(hardware.begin(), hardware.end(), taken.hardware.begin());
    }
    around.links[header.ifi_index] = taken;
}

void take_address(const Parts<ifaddrmsg>& address, Neighbourhood& around) {
    const auto& [header, attributes] = address;
    const auto there = address_of(attributes.bytes(IFA_ADDRESS));
    const auto own = attributes.has(IFA_LOCAL) ? address_of(attributes.bytes(IFA_LOCAL)) : there;
    if (own) {
        around.own.insert(*own);
    }
    if (there && header.ifa_prefixlen <= full_length(there->family)) {
        around.networks.insert({Prefix::of(*there, header.ifa_prefixlen), static_cast<int>(header.ifa_index)});
    }
}

void take_route(const Parts<rtmsg>& route, Neighbourhood& around) {
    const auto& [header, attributes] = route;
    for_each_next_hop(attributes, [&](const Address& hop, unsigned) { around.routers.insert(hop); });
    const std::uint32_t table = load<std::uint32_t>(attributes.bytes(RTA_TABLE)).value_or(header.rtm_table);
    const Family family = header.rtm_family == AF_INET ? Family::ipv4 : Family::ipv6;
    Address destination{family, {}};
    if (attributes.has(RTA_DST)) {
        destination = address_of(attributes.bytes(RTA_DST)).value_or(destination);
    }
    around.fenced = around.fenced || (table == our_table && header.rtm_protocol == our_protocol);
    const bool is_ip = header.rtm_family == AF_INET || header.rtm_family == AF_INET6;
    if (!is_ip || table != RT_TABLE_MAIN || header.rtm_dst_len > full_length(destination.family)) {
        return;
    }
    const Prefix prefix = Prefix::of(destination, header.rtm_dst_len);
    const int link = load<int>(attributes.bytes(RTA_OIF)).value_or(0);
    (header.rtm_protocol == our_protocol ? around.our_routes : around.routes).insert({prefix, link});
}

void take_proxy(const Parts<ndmsg>& entry, Neighbourhood& around) {
    const auto& [header, attributes] = entry;
    const auto address = address_of(attributes.bytes(NDA_DST));
    if (address && (header.ndm_flags & NTF_PROXY) != 0) {
        const bool ours = load<std::uint8_t>(attributes.bytes(NDA_PROTOCOL)).value_or(0) == our_protocol;
        (ours ? around.our_proxies : around.proxies).insert({*address, header.ndm_ifindex});
    }
}

}  // namespace

std::optional<int> Neighbourhood::device() const {
    const auto found = std::find_if(links.begin(), links.end(),
                                    [](const auto& one) { return one.second.name == neighbours_device; });
    return found == links.end() ? std::nullopt : std::optional(found->first);
}

Neighbourhood look_around(Netlink& netlink) {
    Neighbourhood around;
    dump<ifinfomsg>(netlink, RTM_GETLINK, [&](const auto& link) { take_link(link, around); });
    dump<ifaddrmsg>(netlink, RTM_GETADDR, [&](const auto& address) { take_address(address, around); });
    dump<rtmsg>(netlink, RTM_GETROUTE, [&](const auto& route) { take_route(route, around); });
    for (const Family family : families) {
        ndmsg proxies{};
        proxies.ndm_family = number_of(family);
        proxies.ndm_flags = NTF_PROXY;
        dump<ndmsg>(netlink, RTM_GETNEIGH, [&](const auto& entry) { take_proxy(entry, around); }, proxies);
    }
    return around;
}

std::vector<Route> look_for_our_routes(Netlink& netlink) {
    Neighbourhood around;
    for (const Family family : families) {
        rtmsg ours{};
        ours.rtm_family = number_of(family);
        ours.rtm_protocol = our_protocol;
        dump<rtmsg>(netlink, RTM_GETROUTE, [&](const auto& route) { take_route(route, around); }, ours);
    }
    return {around.our_routes.begin(), around.our_routes.end()};
}

}  // namespace statnat
