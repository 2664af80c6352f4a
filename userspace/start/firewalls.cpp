// SPDX-License-Identifier: GPL-2.0-or-later
#include "start/firewalls.hpp"

#include <algorithm>
#include <functional>
#include <sstream>

#include <fmt/format.h>

namespace statnat {
namespace {

struct ListedChain {
    std::string table;  // "inet filter"
    std::string name;
    bool filters_forwarded = false;
};

using Chains = std::vector<ListedChain>;

bool is_ours(const std::string& table) {
    return table == "ip statnat" || table == "ip6 statnat" || table == "arp statnat" || table == "inet pairs-policy";
}

Chains read_chains(std::string_view listing) {
    Chains chains;
    std::istringstream lines{std::string(listing)};
    std::string table;
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        std::string first, second, third;
        words >> first >> second >> third;
        if (first == "table") {
            table = second + " " + third;
        } else if (first == "chain" && !is_ours(table)) {
            chains.push_back({table, second});
        } else if (first == "type" && second == "filter" && !is_ours(table)) {
            chains.back().filters_forwarded = line.find(" hook forward ") != std::string::npos;
        }
    }
    return chains;
}

bool has_chain(const Chains& chains, const std::string& table, const std::string& name) {
    return std::any_of(chains.begin(), chains.end(),
                       [&](const ListedChain& chain) { return chain.table == table && chain.name == name; });
}

bool has_table(const Chains& chains, std::string_view table) {
    return std::any_of(chains.begin(), chains.end(), [&](const ListedChain& chain) { return chain.table == table; });
}

constexpr const char* iptables_line = "-m conntrack --ctstate UNTRACKED -j ACCEPT";

// Of each family that it has rules for.
std::string ufw(const Chains& chains) {
    std::string cure;
    for (const auto& [table, version] : {std::pair("ip filter", ""), std::pair("ip6 filter", "6")}) {
        if (has_chain(chains, table, fmt::format("ufw{}-before-forward", version))) {
            cure += fmt::format("In /etc/ufw/before{0}.rules, before its last line, COMMIT:\n"
                                "    -A ufw{0}-before-forward {1}\n",
                                version, iptables_line);
        }
    }
    return cure.empty() ? cure : cure + "As root:\n    ufw reload\n";
}

std::string firewalld(const Chains& chains, const Address& host) {
    if (!has_table(chains, "inet firewalld") && !has_table(chains, "ip firewalld")) {
        return {};
    }
    return fmt::format(
        "As root, with the zones that the inside and the outside have, and the last line but one for each pair:\n"
        "    firewall-cmd --permanent --new-policy pairs-out\n"
        "    firewall-cmd --permanent --policy pairs-out --set-target ACCEPT\n"
        "    firewall-cmd --permanent --policy pairs-out --add-ingress-zone internal\n"
        "    firewall-cmd --permanent --policy pairs-out --add-egress-zone external\n"
        "    firewall-cmd --permanent --new-policy pairs-in\n"
        "    firewall-cmd --permanent --policy pairs-in --add-ingress-zone external\n"
        "    firewall-cmd --permanent --policy pairs-in --add-egress-zone internal\n"
        "    firewall-cmd --permanent --policy pairs-in --add-rich-rule "
        "'rule family={} destination address={} accept'\n"
        "    firewall-cmd --reload\n",
        host.family == Family::ipv4 ? "ipv4" : "ipv6", host.text());
}

std::string docker(const Chains& chains) {
    if (!has_chain(chains, "ip filter", "DOCKER-USER")) {
        return {};
    }
    return fmt::format("In /etc/systemd/system/docker.service.d/statnat.conf:\n"
                       "    [Service]\n"
                       "    ExecStartPost=-/usr/sbin/iptables -D DOCKER-USER {0}\n"
                       "    ExecStartPost=/usr/sbin/iptables -I DOCKER-USER {0}\n"
                       "As root:\n"
                       "    systemctl daemon-reload && systemctl restart docker\n",
                       iptables_line);
}

std::string libvirt(const Chains& chains) {
    if (!has_chain(chains, "ip filter", "LIBVIRT_FWI")) {
        return {};
    }
    return fmt::format("In /etc/libvirt/hooks/network, which must be executable:\n"
                       "    #!/bin/sh\n"
                       "    # Called with the network's name and what happens to it.\n"
                       "    [ \"$2\" = started ] || exit 0\n"
                       "    rule=\"FORWARD {}\"\n"
                       "    iptables -D $rule 2>/dev/null\n"
                       "    iptables -I $rule\n"
                       "As root, for a network that runs already:\n"
                       "    systemctl restart libvirtd\n"
                       "    /etc/libvirt/hooks/network default started\n",
                       iptables_line);
}

std::string openwrt(const Chains& chains) {
    return !has_table(chains, "inet fw4") ? ""
                                          : "In /usr/share/nftables.d/chain-pre/forward/statnat.nft:\n"
                                            "    ct state untracked accept\n";
}

std::string iptables(const Chains& chains) {
    std::string cure;
    for (const auto& [table, version] : {std::pair("ip filter", ""), std::pair("ip6 filter", "6")}) {
        if (has_chain(chains, table, "FORWARD")) {
            cure += fmt::format("    ip{}tables -I FORWARD {}\n", version, iptables_line);
        }
    }
    return cure.empty() ? cure : "As root:\n" + cure + "    netfilter-persistent save\n";
}

// Whose chains somebody has named above.
bool is_known(const ListedChain& chain) {
    const std::string name = chain.table.substr(chain.table.find(' ') + 1);
    return name == "firewalld" || name == "fw4" || chain.name == "FORWARD";
}

std::string plain_nft(const ListedChain& chain) {
    return fmt::format("Where the chain {0} of the table {1} is written, such as /etc/nftables.conf:\n"
                       "    ct state established,related,untracked accept\n"
                       "or, until that is loaded again, as root:\n"
                       "    nft insert rule {1} {0} ct state untracked accept\n",
                       chain.name, chain.table);
}

}  // namespace

std::vector<Firewall> firewalls(std::string_view listing, const Address& host) {
    const Chains chains = read_chains(listing);
    std::vector<Firewall> found{{"firewalld", firewalld(chains, host)},
                                {"ufw", ufw(chains)},
                                {"Docker", docker(chains)},
                                {"libvirt", libvirt(chains)},
                                {"OpenWrt's fw4", openwrt(chains)}};
    // What these three make in the tables of iptables is theirs.
    const bool is_taken = std::any_of(found.begin() + 1, found.begin() + 4,
                                      [](const Firewall& firewall) { return !firewall.cure.empty(); });
    found.push_back({"iptables", is_taken ? "" : iptables(chains)});
    for (const ListedChain& chain : chains) {
        if (chain.filters_forwarded && !is_known(chain)) {
            found.push_back({"nft, the table " + chain.table, plain_nft(chain)});
        }
    }
    std::erase_if(found, [](const Firewall& firewall) { return firewall.cure.empty(); });
    return found;
}

Firewall old_iptables(Family family) {
    const std::string program = family == Family::ipv4 ? "iptables-legacy" : "ip6tables-legacy";
    return {program, fmt::format("As root:\n    {} -I FORWARD {}\n", program, iptables_line)};
}

}  // namespace statnat
