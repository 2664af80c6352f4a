// SPDX-License-Identifier: GPL-2.0-or-later
// The kernel's routes, as far as packets of pairs take them, and the probes that go there.
#pragma once

#include "doctor/probe.hpp"
#include "netlink/netlink.hpp"
#include "pairs/pairs.hpp"

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace statnat {

// Whose routes the inside has, if it is in a VRF.
struct Inside {
    int vrf = 0;              // the index of that device; 0: none, and routes are as everybody's
    std::uint32_t table = 0;  // the VRF's
    std::uint32_t mark = 0;   // by which what is translated inbound is routed there
    std::set<int> ports{};
};

// By which link an address is reached, or why not at all: an errno.
struct Road {
    int link = 0;
    int error = 0;
};
Road road_to(Netlink& netlink, const Address& target, const Inside& inside);

// The routes of a table that lead somewhere.
std::set<Route> routes_of(Netlink& netlink, std::uint32_t table);

// The command by which a VRF gets the route that is everybody's to an address; nothing where there is none.
std::optional<std::string> command_to_route(Netlink& netlink, const Neighbourhood& around, const Address& target,
                                            const Inside& inside);

// Why a probe is routed nowhere, once its target is translated: an errno, which is EXDEV where the way back is another
// one and that is not allowed; 0: it is not for want of a route.
int routing_error(Netlink& netlink, const Probe& probe);

// Of some pairs of each kind, both ways, inbound by each uplink, or where any are named by each external interface; of
// one family, and to that address outside. Uplinks of a VRF are those of its own routes.
std::vector<Probe> probes(Netlink& netlink, const Neighbourhood& around, const Pairs& pairs, const Address& outside,
                          const std::vector<std::string>& interfaces, const Inside& inside);

// A route that takes nothing anywhere.
struct NullRoute {
    Prefix destination;
    std::string kind;  // "blackhole"

    std::string deletion() const;  // for ip(8)
};
std::vector<NullRoute> null_routes(Netlink& netlink);

// The names of bridges.
std::vector<std::string> bridges(Netlink& netlink);

}  // namespace statnat
