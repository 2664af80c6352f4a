// SPDX-License-Identifier: GPL-2.0-or-later
#include "start/first_file.hpp"

#include "config/configuration.hpp"
#include "printable.hpp"

#include <algorithm>
#include <sstream>

#include <fmt/format.h>

namespace statnat {
namespace {

// What documents have for external addresses (RFC 5737, RFC 3849), so that nobody's is taken by mistake.
constexpr std::string_view example_outside[] = {"198.51.100.2", "2001:db8:1::2"};

std::string commented(const std::string& text) {
    std::string lines;
    std::istringstream all(text);
    for (std::string line; std::getline(all, line);) {
        lines += line.empty() ? "#\n" : "# " + line + "\n";
    }
    return lines;
}

std::string networks_of(const Segment& segment) {
    return segment.networks.empty() ? std::string() : " (" + joined(segment.networks) + ")";
}

std::string found(const Site& site) {
    std::string text;
    for (const Segment& segment : site.outside) {
        text += fmt::format("  outside   {}{}, where a default route leaves\n", segment.interface,
                            networks_of(segment));
    }
    for (const Segment& segment : site.inside) {
        text += fmt::format("  inside    {}{}\n", segment.interface, networks_of(segment));
    }
    for (const Family family : site.not_forwarded) {
        text += fmt::format("  {} is not forwarded: sysctl -w net.{}=1, and the same in /etc/sysctl.d/statnat.conf\n",
                            name(family), family == Family::ipv4 ? "ipv4.ip_forward" : "ipv6.conf.all.forwarding");
    }
    text += site.module.available ? "  the module is available\n"
                                  : fmt::format("  the module is missing: {}\n", printable(site.module.why_not));
    for (const Firewall& firewall : site.firewalls) {
        text += fmt::format("  firewall  {}\n", firewall.name);
    }
    return text + (site.firewalls.empty() ? "  no firewall\n" : "");
}

std::string external_interfaces(const std::vector<Segment>& outside) {
    std::string names;
    const std::size_t count = std::min(outside.size(), most_external_interfaces);
    for (std::size_t i = 0; i < count; ++i) {
        names += (i == 0 ? "" : ", ") + quoted_json(outside[i].interface);
    }
    std::string text = "# Only what crosses these is translated; a VPN, or a third network, is left alone.\n";
    if (count < outside.size()) {
        text += fmt::format("# There is room for {}; a name with an asterisk, such as \"ppp*\", stands for many.\n",
                            count);
    }
    return text + (names.empty() ? "# No default route has been found: name them, or all interfaces are meant.\n"
                                   "#external-interfaces = [\"wan0\"]\n"
                                 : fmt::format("external-interfaces = [{}]\n", names));
}

std::string neighbours(const std::vector<Segment>& outside) {
    std::vector<Prefix> networks;
    for (const Segment& segment : outside) {
        networks.insert(networks.end(), segment.networks.begin(), segment.networks.end());
    }
    return networks.empty() ? ""
                            : fmt::format("# Where external addresses are in {}, not routed to this machine, it has to "
                                          "answer for them.\n#neighbours = true\n",
                                          joined(networks));
}

std::string pairs(const std::vector<Address>& hosts) {
    std::string text = "[pairs]\n# An internal address, and the external one that it has outside: put yours here, and "
                       "take the # away.\n";
    for (const Address& host : hosts) {
        text += fmt::format("#\"{}\" = \"{}\"\n", host.text(), example_outside[host.family == Family::ipv6]);
    }
    return text;
}

std::string cures(const std::vector<Firewall>& firewalls) {
    std::string text;
    for (const Firewall& firewall : firewalls) {
        text += fmt::format("\nPackets of pairs are untracked. For {} to let them through:\n\n{}", firewall.name,
                            firewall.cure);
    }
    return text.empty() ? text
                        : text + "\nWhat accepts all that is untracked opens pairs to the world: docs/firewalls.md has "
                                 "a table that says what may\ncome in. \"statnat-nft doctor\" tells whether they get "
                                 "through.\n";
}

}  // namespace

std::string first_file(const Site& site) {
    const std::string firewalls = cures(site.firewalls);
    return commented("Made by \"statnat-nft init\" of what it found; every key is explained in statnat.toml(5).\n\n" +
                     found(site)) +
           "\n[gateway]\n" + external_interfaces(site.outside) + neighbours(site.outside) + "\n" + pairs(site.hosts) +
           (firewalls.empty() ? "" : commented(firewalls));
}

std::string names_of(const std::vector<Segment>& segments) {
    std::string names;
    for (const Segment& segment : segments) {
        names += (names.empty() ? "" : ", ") + segment.interface;
    }
    return names;
}

}  // namespace statnat
