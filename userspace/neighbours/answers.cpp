// SPDX-License-Identifier: GPL-2.0-or-later
#include "neighbours/answers.hpp"

#include "pairs/overlaps.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace statnat {
namespace {

constexpr std::size_t most_named = 16;

// The external sides of a family.
struct Externals {
    std::vector<Prefix> each{};
    std::vector<Range> hosts{};
    std::vector<Range> prefixes{};
    std::vector<Range> all{};
};

// A prefix, but for what is excluded from it.
std::vector<Prefix> rest_of(const Prefix& external, const std::vector<Prefix>& excluded) {
    std::vector<Prefix> inside;
    for (const Prefix& one : excluded) {
        if (external.covers(one) && external != one) {
            inside.push_back(one);
        }
    }
    return inside.empty() ? std::vector{external} : cover(without({Range::of(external)}, inside));
}

Externals externals(const Pairs& pairs, Family family) {
    const std::vector<Prefix> excluded = externals_excluded(pairs);
    Externals found;
    for (const auto& [tier, halves] : pairs.tiers()) {
        if (tier.family != family) {
            continue;
        }
        const Elements& all = halves.by_external;
        for (std::size_t i = 0; i < all.size(); ++i) {
            for (const Prefix& prefix : rest_of({all.key(i), tier.length}, excluded)) {
                found.each.push_back(prefix);
                (tier.is_of_hosts() ? found.hosts : found.prefixes).push_back(Range::of(prefix));
            }
        }
    }
    found.all = found.hosts;
    found.all.insert(found.all.end(), found.prefixes.begin(), found.prefixes.end());
    found.all = merged(std::move(found.all));
    found.hosts = merged(std::move(found.hosts));
    found.prefixes = merged(std::move(found.prefixes));
    return found;
}

// Those are reached where they are: a route of ours would lead away from them.
std::set<Address> taken(const Neighbourhood& around) {
    std::set<Address> all = around.own;
    all.insert(around.routers.begin(), around.routers.end());
    return all;
}

void add_routes(const Externals& externals, const std::set<Address>& taken, std::set<Prefix>& routes) {
    const auto add = [&](const std::vector<Range>& ranges) {
        const std::vector<Prefix> prefixes = cover(without(ranges, taken));
        routes.insert(prefixes.begin(), prefixes.end());
    };
    if (externals.each.size() > most_one_by_one) {
        add(externals.all);
        return;
    }
    for (const Prefix& prefix : externals.each) {
        add({Range::of(prefix)});
    }
}

// In all networks of a link.
std::vector<Range> on_link(const std::vector<Range>& ranges, const Neighbourhood& around, int link) {
    std::vector<Range> found;
    for (const Network& network : around.networks) {
        if (network.link == link) {
            const std::vector<Range> inside = within(ranges, network.prefix);
            found.insert(found.end(), inside.begin(), inside.end());
        }
    }
    return merged(std::move(found));
}

void add_each(const std::vector<Range>& ranges, int link, std::set<Proxy>& proxies) {
    for (const Range& range : ranges) {
        for (std::optional<Address> at = range.first; at && *at <= range.last; at = next(*at)) {
            proxies.insert({*at, link});
        }
    }
}

// The kernel answers for what it would forward by another device. In networks of the link, that is what we have routes
// for and what others have. What else it is asked for there may pass, such as an address that comes to be its own.
std::vector<Range> passing(const std::vector<Range>& external, const Neighbourhood& around, int link) {
    std::vector<Range> networks;
    for (const Network& network : around.networks) {
        if (network.link == link && network.prefix.address.family == Family::ipv4) {
            networks.push_back(Range::of(network.prefix));
        }
    }
    std::vector<Prefix> elsewhere;
    for (const Route& route : around.routes) {
        if (route.link != link && route.destination.length != 0) {
            elsewhere.push_back(route.destination);
        }
    }
    std::vector<Range> all = without(merged(std::move(networks)), elsewhere);
    all.insert(all.end(), external.begin(), external.end());
    for (const Address& own : around.own) {
        if (own.family == Family::ipv4) {
            all.push_back({own, own});
        }
    }
    return merged(std::move(all));
}

void answer_arp(const std::vector<Range>& external, const Neighbourhood& around, int index, Answers& answers) {
    const std::string& name = around.links.at(index).name;
    answers.settings[fmt::format("net/ipv4/neigh/{}/proxy_delay", name)] = "0";
    if (count(external, most_one_by_one) <= most_one_by_one) {
        add_each(external, index, answers.proxies);
    } else {
        answers.settings[fmt::format("net/ipv4/conf/{}/proxy_arp", name)] = "1";
        answers.passing[name] = passing(external, around, index);
    }
}

// "all" as well, or the kernel forwards what is sent to the address alone: whoever knows it asks again so.
void answer_ndp(const std::vector<Range>& hosts, const std::string& name, int index, Answers& answers) {
    answers.settings[fmt::format("net/ipv6/neigh/{}/proxy_delay", name)] = "0";
    answers.settings[fmt::format("net/ipv6/conf/{}/proxy_ndp", name)] = "1";
    answers.settings["net/ipv6/conf/all/proxy_ndp"] = "1";
    add_each(hosts, index, answers.proxies);
}

// The kernel looks through all entries of IPv6, and joins a group for each: of many, adding one takes ever longer.
void answer_on(int index, const Externals& all, Family family, const Neighbourhood& around, Answers& answers) {
    const std::string& name = around.links.at(index).name;
    const bool ipv4 = family == Family::ipv4;
    const auto each = without(on_link(ipv4 ? all.all : all.hosts, around, index), taken(around));
    std::vector<Range> others = ipv4 ? std::vector<Range>() : on_link(all.prefixes, around, index);
    if (!ipv4 && count(each, most_one_by_one) > most_one_by_one) {
        others.insert(others.end(), each.begin(), each.end());
    } else if (!each.empty()) {
        auto& answered = answers.answered[index];
        answered.insert(answered.end(), each.begin(), each.end());
        ipv4 ? answer_arp(each, around, index, answers) : answer_ndp(each, name, index, answers);
    }
    if (!others.empty()) {
        answers.for_ndppd[name] = cover(without(merged(std::move(others)), around.routers));
    }
}

}  // namespace

Answers answers(const Pairs& pairs, const Neighbourhood& around) {
    Answers wanted;
    for (const Family family : families) {
        const Externals all = externals(pairs, family);
        add_routes(all, taken(around), wanted.routes);
        for (const Address& router : around.routers) {
            if (router.family == family && !within(all.all, Prefix::host(router)).empty()) {
                wanted.of_routers.push_back(router);
            }
        }
        for (const auto& [index, link] : around.links) {
            if (link.resolves) {
                answer_on(index, all, family, around, wanted);
            }
        }
    }
    return wanted;
}

std::vector<std::string> warnings(const Answers& answers) {
    std::vector<std::string> sentences;
    for (const Address& router : answers.of_routers) {
        sentences.push_back(fmt::format("{} is an external address, and a router's: it is left to the router",
                                        router.text()));
    }
    for (const auto& [name, prefixes] : answers.for_ndppd) {
        std::string rules;
        for (std::size_t i = 0; i < std::min(prefixes.size(), most_named); ++i) {
            rules += fmt::format(" rule {} {{ static }}", prefixes[i].text());
        }
        const std::string more =
            prefixes.size() <= most_named
                ? ""
                : fmt::format(", and {} more rules (ip -6 route show proto {})", prefixes.size() - most_named,
                              our_protocol);
        sentences.push_back(fmt::format("the kernel answers neighbour solicitations for single hosts only, 4,096 at "
                                        "most: on {0}, let ndppd do that, with \"proxy {0} {{{1} }}\" in "
                                        "/etc/ndppd.conf{2}",
                                        name, rules, more));
    }
    return sentences;
}

}  // namespace statnat
