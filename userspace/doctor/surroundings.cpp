// SPDX-License-Identifier: GPL-2.0-or-later
#include "doctor/surroundings.hpp"

#include "neighbours/answers.hpp"
#include "neighbours/settings.hpp"
#include "ruleset/machine.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

namespace statnat {
namespace {

bool is_set(const std::string& setting) {
    const auto value = read_setting(setting);
    return value && *value != "0";
}

std::string sysctl(const std::string& setting, int value) {
    return fmt::format("sysctl -w {}={}", setting, value);
}

std::string forwarding(Family family) {
    return family == Family::ipv4 ? "net/ipv4/ip_forward" : "net/ipv6/conf/all/forwarding";
}

void add_redirects(const Neighbourhood& around, Troubles& found) {
    const std::string all = "net/ipv4/conf/all/accept_redirects";
    for (const auto& [index, link] : around.links) {
        // What forwards obeys only if both say so.
        if (link.resolves && is_set(all) && is_set(fmt::format("net/ipv4/conf/{}/accept_redirects", link.name))) {
            found.push_back({"a redirect that anybody in a network sends tells this router where to send packets of "
                             "pairs",
                             sysctl(all, 0), false});
        }
    }
}

void add_bridges(Netlink& netlink, Family family, Troubles& found) {
    const std::string setting = family == Family::ipv4 ? "net/bridge/bridge-nf-call-iptables"
                                                       : "net/bridge/bridge-nf-call-ip6tables";
    const std::vector<std::string> names = is_set(setting) ? bridges(netlink) : std::vector<std::string>();
    if (!names.empty()) {
        found.push_back({fmt::format("br_netfilter has {} packets that {} only bridges go through the chains of "
                                     "routers, where those of pairs are translated",
                                     name(family), names.front()),
                         sysctl(setting, 0), false});
    }
}

std::string and_more(std::size_t more) {
    return more == 0 ? "" : fmt::format(" and {} more", more);
}

void add_unanswered(const Neighbourhood& around, const Pairs& pairs, const std::string& neighbours, Troubles& found) {
    const Answers wanted = answers(pairs, around);
    std::map<int, std::vector<Address>> unanswered;
    for (const Proxy& proxy : wanted.proxies) {
        if (!around.proxies.contains(proxy) && !around.our_proxies.contains(proxy)) {
            unanswered[proxy.link].push_back(proxy.address);
        }
    }
    const auto say = [&](const std::string& link, const std::string& address, std::size_t more) {
        const std::string by_hand = fmt::format("ip neighbour replace proxy {} dev {}", address, link);
        found.push_back({fmt::format("nobody answers on {} for {}{}", link, address, and_more(more)),
                         neighbours.empty() ? by_hand : neighbours});
    };
    for (const auto& [link, addresses] : unanswered) {
        say(around.links.at(link).name, addresses.front().text(), addresses.size() - 1);
    }
    for (const auto& [link, ranges] : wanted.passing) {
        if (!is_set(fmt::format("net/ipv4/conf/{}/proxy_arp", link))) {
            say(link, ranges.front().first.text(), count(ranges, 1 << 24) - 1);
        }
    }
}

// The most specific one decides.
void add_unrouted(Netlink& netlink, const Pairs& pairs, const Inside& of_errors, const std::string& neighbours,
                  Troubles& found) {
    std::vector<Address> unrouted = some_external(pairs);
    std::erase_if(unrouted, [&](const Address& one) { return road_to(netlink, one, of_errors).error == 0; });
    if (unrouted.empty()) {
        return;
    }
    std::vector<NullRoute> nowhere = null_routes(netlink);
    std::stable_sort(nowhere.begin(), nowhere.end(), [](const NullRoute& one, const NullRoute& other) {
        return one.destination.length > other.destination.length;
    });
    const auto swallows = std::find_if(nowhere.begin(), nowhere.end(), [&](const NullRoute& route) {
        return route.destination.covers(unrouted.front());
    });
    const std::string errors = fmt::format("what this machine has to tell about packets that it has translated, such "
                                           "as one too big for a tunnel, is lost: {} to {}{}",
                                           swallows == nowhere.end() ? "no route" : "a null route",
                                           unrouted.front().text(), and_more(unrouted.size() - 1));
    if (swallows != nowhere.end()) {
        found.push_back({errors, fmt::format("ip {}", swallows->deletion())});
    } else {
        const std::string by_hand = fmt::format("ip route add {} via ROUTER", unrouted.front().text());
        found.push_back({errors, neighbours.empty() ? by_hand : neighbours});
    }
}

}  // namespace

bool forwards(Family family) {
    return is_set(forwarding(family));
}

Troubles troubles_with_settings(Netlink& netlink, const Neighbourhood& around, Family family) {
    Troubles found;
    if (!forwards(family)) {
        found.push_back({fmt::format("{} is not forwarded", name(family)), sysctl(forwarding(family), 1)});
    } else if (family == Family::ipv4) {
        add_redirects(around, found);
    }
    add_bridges(netlink, family, found);
    return found;
}

Troubles troubles_with_vrf(Netlink& netlink, const Vrf& vrf, const std::optional<VrfDevice>& device,
                           const std::vector<Family>& of_pairs, const std::string& sync) {
    if (!device) {
        return {{fmt::format("there is no VRF {}", vrf.name),
                 fmt::format("ip link add {} type vrf table TABLE && ip link set {} up && {}", vrf.name, vrf.name,
                             sync)}};
    }
    Troubles found;
    const std::set<MarkRule> there = mark_rules(netlink);
    for (const Family family : of_pairs) {
        const MarkRule wanted{family, vrf.mark, device->table};
        if (!there.contains(wanted)) {
            found.push_back({wanted.text() + " is missing", sync});
        }
        const std::string reflection = fmt::format("net/{}/fwmark_reflect", family == Family::ipv4 ? "ipv4" : "ipv6");
        if (read_setting(reflection) == "0") {
            found.push_back({fmt::format("what this machine has to tell hosts of VRF {} about {} packets is lost",
                                         vrf.name, name(family)),
                             sysctl(reflection, 1)});
        }
    }
    if (device->ports != vrf.ports) {
        found.push_back({fmt::format("VRF {} has other ports than the rules", vrf.name), sync, false});
    }
    return found;
}

Troubles troubles_with_externals(Netlink& netlink, const Neighbourhood& around, const Pairs& pairs,
                                 const Inside& of_errors, const std::string& neighbours) {
    Troubles found;
    add_unanswered(around, pairs, neighbours, found);
    add_unrouted(netlink, pairs, of_errors, neighbours, found);
    return found;
}

}  // namespace statnat
