// SPDX-License-Identifier: GPL-2.0-or-later
#include "start/site.hpp"

#include "actual/routes.hpp"
#include "doctor/legacy.hpp"
#include "doctor/surroundings.hpp"
#include "names.hpp"

#include <algorithm>
#include <memory>
#include <new>

#include <nftables/libnftables.h>

namespace statnat {
namespace {

// Where nobody inside has an address yet.
constexpr std::string_view usual_host = "10.0.0.2";

std::string list_chains() {
    const std::unique_ptr<nft_ctx, void (*)(nft_ctx*)> context(nft_ctx_new(NFT_CTX_DEFAULT), nft_ctx_free);
    if (!context || nft_ctx_buffer_output(context.get()) != 0 || nft_ctx_buffer_error(context.get()) != 0) {
        throw std::bad_alloc();
    }
    if (nft_run_cmd_from_buffer(context.get(), "list chains") != 0) {
        const std::string error = nft_ctx_get_error_buffer(context.get());
        throw CannotGoOn{"this machine's firewall cannot be listed: " + error.substr(0, error.find('\n'))};
    }
    return nft_ctx_get_output_buffer(context.get());
}

// One that hosts may be in.
bool is_of_hosts(const Prefix& network) {
    return network.length + 1 < full_length(network.address.family) && !unusable(Prefix::host(network.last()));
}

// Behind the network's own address, and what routers like.
std::optional<Address> free_host(const Prefix& network, const Neighbourhood& around) {
    std::optional<Address> address = next(network.first());
    if (address) {
        address = next(*address);
    }
    while (address && (around.own.contains(*address) || around.routers.contains(*address))) {
        address = next(*address);
    }
    return address && network.covers(*address) ? address : std::nullopt;
}

void add_host(Site& site, const Prefix& network, const Neighbourhood& around) {
    const Family family = network.address.family;
    const bool is_there = std::any_of(site.hosts.begin(), site.hosts.end(),
                                      [&](const Address& host) { return host.family == family; });
    if (const auto host = free_host(network, around); host && !is_there) {
        site.hosts.push_back(*host);
    }
}

}  // namespace

Site sides(const Neighbourhood& around, const std::set<std::string>& uplinks) {
    Site site;
    for (const auto& [index, link] : around.links) {
        Segment segment{link.name};
        for (const Network& network : around.networks) {
            if (network.link == index && is_of_hosts(network.prefix)) {
                segment.networks.push_back(network.prefix);
            }
        }
        if (objection_to_interface(link.name) || link.name == neighbours_device) {
            continue;
        }
        if (uplinks.contains(link.name)) {
            site.outside.push_back(segment);
        } else if (link.up && !segment.networks.empty()) {
            site.inside.push_back(segment);
            for (const Prefix& network : segment.networks) {
                add_host(site, network, around);
            }
        }
    }
    if (site.hosts.empty()) {
        site.hosts.push_back(*Address::parse(usual_host));
    }
    std::sort(site.hosts.begin(), site.hosts.end());
    return site;
}

Site look_at_site(Kernel& kernel) {
    Netlink netlink(open_route_socket());
    Site site = sides(look_around(netlink), read_uplinks(netlink));
    site.module = kernel.probe();
    site.firewalls = firewalls(list_chains(), site.hosts.front());
    for (const Address& host : site.hosts) {
        if (!forwards(host.family)) {
            site.not_forwarded.push_back(host.family);
        }
    }
    for (const Family family : families) {
        if (!troubles_with_legacy_tables(family).empty()) {
            site.firewalls.push_back(old_iptables(family));
        }
    }
    return site;
}

}  // namespace statnat
