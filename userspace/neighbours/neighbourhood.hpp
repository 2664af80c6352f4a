// SPDX-License-Identifier: GPL-2.0-or-later
// What is around this machine, and what of it the tool has made: values.
#pragma once

#include "netlink/netlink.hpp"
#include "pairs/prefix.hpp"
#include "routing/ours.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace statnat {

// The device by which routes to external addresses leave. Nothing does, as long as there are rules: what comes for them
// is translated before, and goes elsewhere.
inline constexpr std::string_view neighbours_device = "statnat0";
// How it is known again as ours, from somebody else's of that name: the alias of ip(8).
inline constexpr std::string_view neighbours_alias = "external addresses of statnat-nft";
struct Link {
    std::string name;
    std::string alias{};
    bool up = false;
    bool resolves = false;  // asks its neighbours for addresses: has ARP and NDP
    std::array<std::uint8_t, 6> hardware{};
};

// A network that one of this machine's addresses is in.
struct Network {
    Prefix prefix;
    int link = 0;  // its index
    auto operator<=>(const Network&) const = default;
};

// Answers for an address on a link.
struct Proxy {
    Address address;
    int link = 0;
    auto operator<=>(const Proxy&) const = default;
};

// Of the main table.
struct Route {
    Prefix destination;
    int link = 0;
    auto operator<=>(const Route&) const = default;
};

struct Neighbourhood {
    std::map<int, Link> links{};
    std::set<Network> networks{};
    std::set<Address> own{};
    std::set<Address> routers{};     // next hops
    std::set<Route> routes{};        // of others
    std::set<Proxy> proxies{};       // of others
    std::set<Route> our_routes{};
    std::set<Proxy> our_proxies{};
    bool fenced = false;             // routes of the fence leave by our device, too

    std::optional<int> device() const;  // of that name, whoever has made it
};

// As rtnetlink tells; needs no privileges. Throws CannotGoOn.
Neighbourhood look_around(Netlink& netlink);

// Those of the main table alone, which the kernel tells at once beside a million of others where it is asked strictly.
// Throws CannotGoOn.
std::vector<Route> look_for_our_routes(Netlink& netlink);

}  // namespace statnat
