// SPDX-License-Identifier: GPL-2.0-or-later
#include "neighbours/answers.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace statnat {
namespace {

// The external sides of a family.
struct Externals {
    std::vector<Prefix> each{};
    std::vector<Range> hosts{};
    std::vector<Range> prefixes{};

    std::vector<Range> all() const {
        std::vector<Range> both = hosts;
        both.insert(both.end(), prefixes.begin(), prefixes.end());
        return merged(std::move(both));
    }
};

Externals externals(const Pairs& pairs, Family family) {
    Externals found;
    for (const auto& [tier, halves] : pairs.tiers()) {
        if (tier.family != family) {
            continue;
        }
        const Elements& all = halves.by_external;
        for (std::size_t i = 0; i < all.size(); ++i) {
            const Prefix prefix{all.key(i), tier.length};
            found.each.push_back(prefix);
            (tier.is_of_hosts() ? found.hosts : found.prefixes).push_back(Range::of(prefix));
        }
    }
    found.hosts = merged(std::move(found.hosts));
    found.prefixes = merged(std::move(found.prefixes));
    return found;
}

// Those are reached where they are: a route of ours would lead away from them.
std::set<Address> taken(const Surroundings& around) {
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
        add(externals.all());
        return;
    }
    for (const Prefix& prefix : externals.each) {
        add({Range::of(prefix)});
    }
}

// In all networks of a link.
std::vector<Range> on_link(const std::vector<Range>& ranges, const Surroundings& around, int link) {
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
std::vector<Range> passing(const std::vector<Range>& external, const Surroundings& around, int link) {
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

void answer_arp(const std::vector<Range>& external, const Surroundings& around, int index, Answers& answers) {
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

}  // namespace

Answers answers(const Pairs& pairs, const Surroundings& around) {
    Answers wanted;
    const std::set<Address> none_of_ours = taken(around);
    for (const Family family : families) {
        const Externals all = externals(pairs, family);
        const std::vector<Range> ranges = all.all();
        add_routes(all, none_of_ours, wanted.routes);
        for (const Address& router : around.routers) {
            if (router.family == family && count(within(ranges, Prefix::host(router)), 1) != 0) {
                wanted.of_routers.push_back(router);
            }
        }
        for (const auto& [index, link] : around.links) {
            const bool ipv4 = family == Family::ipv4;
            const auto one_by_one = without(on_link(ipv4 ? ranges : all.hosts, around, index), none_of_ours);
            if (link.resolves && !one_by_one.empty()) {
                ipv4 ? answer_arp(one_by_one, around, index, wanted) : answer_ndp(one_by_one, link.name, index, wanted);
            }
            const auto whole = ipv4 ? std::vector<Range>() : on_link(all.prefixes, around, index);
            if (link.resolves && !whole.empty()) {
                wanted.for_ndppd[link.name] = cover(without(whole, around.routers));
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
        for (const Prefix& prefix : prefixes) {
            rules += fmt::format(" rule {} {{ static }}", prefix.text());
        }
        sentences.push_back(fmt::format("the kernel answers neighbour solicitations for hosts only, not for prefixes: "
                                        "on {0}, let ndppd do that, with \"proxy {0} {{{1} }}\" in /etc/ndppd.conf",
                                        name, rules));
    }
    return sentences;
}

}  // namespace statnat
