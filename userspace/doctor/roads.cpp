// SPDX-License-Identifier: GPL-2.0-or-later
#include "doctor/roads.hpp"

#include "names.hpp"
#include "neighbours/settings.hpp"
#include "pairs/translation.hpp"
#include "routing/parts.hpp"
#include "routing/request.hpp"

#include <algorithm>
#include <cerrno>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

namespace statnat {
namespace {

constexpr std::size_t most_pairs = 16;  // of each kind
constexpr unsigned most_tries = 16;     // to find an address of a prefix that a host may have

Message bytes_of(const Address& address) {
    return {address.bytes.data(), address.size()};
}

std::uint8_t family_of(const Address& address) {
    return address.family == Family::ipv4 ? AF_INET : AF_INET6;
}

rtmsg& ask_for(Request& question, const Address& target) {
    auto& header = question.header<rtmsg>();
    header.rtm_family = family_of(target);
    header.rtm_dst_len = full_length(target.family);
    question.put(RTA_DST, bytes_of(target));
    return header;
}

Road answer_to(Netlink& netlink, Request& question) {
    Road road;
    const Answer answer = netlink.ask(question.take(), [&](Message message) {
        if (const auto parts = Parts<rtmsg>::of(message); parts && parts->header.rtm_type == RTN_UNICAST) {
            road.link = load<int>(parts->attributes.bytes(RTA_OIF)).value_or(0);
        }
    });
    road.error = answer.refusal ? answer.refusal->error : 0;
    return road;
}

template <typename Header>
void dump(Netlink& netlink, std::uint16_t type, const std::function<void(const Parts<Header>&)>& each) {
    Request question(type, NLM_F_DUMP, netlink.next_sequence());
    question.header<Header>();
    netlink.ask(question.take(), [&](Message message) {
        if (const auto parts = Parts<Header>::of(message)) {
            each(*parts);
        }
    });
}

Prefix destination_of(const Parts<rtmsg>& route) {
    const Address any{route.header.rtm_family == AF_INET ? Family::ipv4 : Family::ipv6, {}};
    return Prefix::of(address_of(route.attributes.bytes(RTA_DST)).value_or(any), route.header.rtm_dst_len);
}

// One that no longer pair has, and that is not this machine's.
std::optional<std::pair<Address, Address>> host_of(const Pair& pair, const Pairs& pairs, const Neighbourhood& around) {
    std::optional<Address> address = pair.internal.first();
    for (unsigned tries = 0; address && pair.internal.covers(*address) && tries < most_tries; ++tries) {
        const Counterpart outside = translate(translation(pair, Side::internal), Prefix::host(*address));
        const bool may_be_a_host = pair.internal.is_host() || tries > 1;  // the first two: the network's, its router's
        const bool is_its_own = pair.internal.is_host() || (!pairs.find(Prefix::host(*address), Side::internal) &&
                                                            !pairs.exclusion(*address));
        if (outside.fate == Fate::one && may_be_a_host && is_its_own && !around.own.contains(*address) &&
            !around.routers.contains(*address)) {
            return std::pair(*address, outside.prefix.address);
        }
        address = next(*address);
    }
    return std::nullopt;
}

// The stricter of both holds, and loose, which is 2, is stricter than strict.
bool is_strict(const Probe& probe) {
    const auto all = read_setting("net/ipv4/conf/all/rp_filter");
    const auto own = read_setting(fmt::format("net/ipv4/conf/{}/rp_filter", probe.device.name));
    return probe.family() == Family::ipv4 && std::max(all, own) == "1";
}

// Where interfaces are named, those; else those of default routes, and by which this address is reached.
std::set<int> uplinks(Netlink& netlink, const Neighbourhood& around, const Address& outside,
                      const std::vector<std::string>& interfaces, const Inside& inside) {
    std::set<int> found;
    for (const auto& [index, link] : around.links) {
        for (const std::string& name : interfaces) {
            if (interface_covers(name, link.name)) {
                found.insert(index);
            }
        }
    }
    if (!interfaces.empty()) {
        return found;
    }
    found.insert(road_to(netlink, outside, inside).link);
    for (const Route& route : inside.vrf != 0 ? routes_of(netlink, inside.table) : around.routes) {
        if (route.destination.length == 0 && route.destination.address.family == outside.family) {
            found.insert(route.link);
        }
    }
    found.erase(0);
    return found;
}

std::vector<Pair> some(const Pairs& pairs, Family family) {
    std::vector<Pair> found;
    for (const auto& [tier, halves] : pairs.tiers()) {
        const Elements& all = halves.by_internal;
        const std::size_t count = tier.family == family && !tier.inbound ? std::min(all.size(), most_pairs) : 0;
        for (std::size_t i = 0; i < count; ++i) {
            const std::size_t at = i * all.size() / count;
            if (const auto pair = pairs.find({all.key(at), tier.length}, Side::internal)) {
                found.push_back(*pair);
            }
        }
    }
    return found;
}

}  // namespace

Road road_to(Netlink& netlink, const Address& target, const Inside& inside) {
    Request question(RTM_GETROUTE, 0, netlink.next_sequence());
    ask_for(question, target);
    if (inside.vrf != 0) {
        question.put(RTA_OIF, static_cast<std::uint32_t>(inside.vrf));
    }
    return answer_to(netlink, question);
}

std::set<Route> routes_of(Netlink& netlink, std::uint32_t table) {
    std::set<Route> found;
    dump<rtmsg>(netlink, RTM_GETROUTE, [&](const Parts<rtmsg>& route) {
        const auto& [header, attributes] = route;
        const bool is_ip = header.rtm_family == AF_INET || header.rtm_family == AF_INET6;
        if (is_ip && header.rtm_type == RTN_UNICAST &&
            load<std::uint32_t>(attributes.bytes(RTA_TABLE)).value_or(header.rtm_table) == table) {
            for_each_way(attributes, [&](unsigned link) {
                found.insert({destination_of(route), static_cast<int>(link)});
            });
        }
    });
    return found;
}

std::optional<std::string> command_to_route(Netlink& netlink, const Neighbourhood& around, const Address& target,
                                            const Inside& inside) {
    Request question(RTM_GETROUTE, 0, netlink.next_sequence());
    ask_for(question, target).rtm_flags = RTM_F_FIB_MATCH;
    std::optional<std::string> command;
    netlink.ask(question.take(), [&](Message message) {
        const auto route = Parts<rtmsg>::of(message);
        if (!route || route->header.rtm_type != RTN_UNICAST) {
            return;
        }
        std::string via;
        for_each_next_hop(route->attributes, [&](const Address& hop, unsigned) {
            via = via.empty() && hop.family == target.family ? fmt::format(" via {}", hop.text()) : via;
        });
        for_each_way(route->attributes, [&](unsigned index) {
            const auto link = around.links.find(static_cast<int>(index));
            if (!command && link != around.links.end()) {
                command = fmt::format("ip {}route replace {}{} dev {} table {}{}",
                                      target.family == Family::ipv6 ? "-6 " : "", destination_of(*route).text(), via,
                                      link->second.name, inside.table,
                                      (route->header.rtm_flags & RTNH_F_ONLINK) != 0 ? " onlink" : "");
            }
        });
    });
    return command;
}

int routing_error(Netlink& netlink, const Probe& probe) {
    Request question(RTM_GETROUTE, 0, netlink.next_sequence());
    ask_for(question, probe.leaves_to()).rtm_src_len = full_length(probe.family());
    question.put(RTA_SRC, bytes_of(probe.source())).put(RTA_IIF, static_cast<std::uint32_t>(probe.link));
    if (probe.fwmark != 0) {
        question.put(RTA_MARK, probe.fwmark);
    }
    const int error = answer_to(netlink, question).error;
    // Some kernels do not tell it from what is malformed.
    return error == EINVAL && is_strict(probe) ? EXDEV : error;
}

std::vector<Probe> probes(Netlink& netlink, const Neighbourhood& around, const Pairs& pairs, const Address& outside,
                          const std::vector<std::string>& interfaces, const Inside& inside) {
    std::vector<Probe> found;
    const std::set<int> outer = uplinks(netlink, around, outside, interfaces, inside);
    const bool leaves_outside = outer.contains(road_to(netlink, outside, inside).link);
    const auto add = [&](Way way, const std::pair<Address, Address>& ends, int link) {
        const auto device = around.links.find(link);
        if (device != around.links.end() && device->second.up) {
            found.push_back({way, ends.first, ends.second, outside, link, device->second,
                             way == Way::inbound ? inside.mark : 0});
        }
    };
    for (const Pair& pair : some(pairs, outside.family)) {
        if (const auto ends = host_of(pair, pairs, around)) {
            if (leaves_outside) {
                add(Way::outbound, *ends, road_to(netlink, ends->first, inside).link);
            }
            for (const int link : outer) {
                add(Way::inbound, *ends, link);
            }
        }
    }
    return found;
}

std::string NullRoute::deletion() const {
    return fmt::format("{}route delete {} {}", destination.address.family == Family::ipv6 ? "-6 " : "", kind,
                       destination.text());
}

std::vector<NullRoute> null_routes(Netlink& netlink) {
    std::vector<NullRoute> found;
    dump<rtmsg>(netlink, RTM_GETROUTE, [&](const Parts<rtmsg>& route) {
        const auto destination = address_of(route.attributes.bytes(RTA_DST));
        const std::uint8_t type = route.header.rtm_type;
        const char* kind = type == RTN_BLACKHOLE     ? "blackhole"
                           : type == RTN_UNREACHABLE ? "unreachable"
                           : type == RTN_PROHIBIT    ? "prohibit"
                                                     : nullptr;
        if (kind && destination && route.header.rtm_dst_len <= full_length(destination->family)) {
            found.push_back({Prefix::of(*destination, route.header.rtm_dst_len), kind});
        }
    });
    return found;
}

std::vector<std::string> bridges(Netlink& netlink) {
    std::vector<std::string> found;
    dump<ifinfomsg>(netlink, RTM_GETLINK, [&](const Parts<ifinfomsg>& link) {
        if (link.attributes.has(IFLA_LINKINFO) &&
            link.attributes.nest(IFLA_LINKINFO).text(IFLA_INFO_KIND) == "bridge") {
            found.push_back(link.attributes.text(IFLA_IFNAME));
        }
    });
    return found;
}

}  // namespace statnat
