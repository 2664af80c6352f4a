// SPDX-License-Identifier: GPL-2.0-or-later
// The kernel's routes, as far as packets of pairs take them, and the probes that go there.
#pragma once

#include "doctor/probe.hpp"
#include "netlink/netlink.hpp"
#include "pairs/pairs.hpp"

#include <optional>
#include <string>
#include <vector>

namespace statnat {

// By which link an address is reached, or why not at all: an errno.
struct Road {
    int link = 0;
    int error = 0;
};
Road road_to(Netlink& netlink, const Address& target);

// Why a probe is routed nowhere, once its target is translated: an errno, which is EXDEV where the way back is another
// one and that is not allowed; 0: it is not for want of a route.
int routing_error(Netlink& netlink, const Probe& probe);

// Of some pairs of each kind, both ways, inbound by each uplink, or where any are named by each external interface; of
// one family, and to that address outside.
std::vector<Probe> probes(Netlink& netlink, const Neighbourhood& around, const Pairs& pairs, const Address& outside,
                          const std::vector<std::string>& interfaces);

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
