// SPDX-License-Identifier: GPL-2.0-or-later
// The addresses and next hops of this network namespace, from rtnetlink.
#pragma once

#include "config/interface_side.hpp"
#include "netlink/netlink.hpp"
#include "ruleset/machine.hpp"

#include <set>
#include <string>
#include <vector>

namespace statnat {

// Both need no privileges. What the kernel does not tell is not there.
std::vector<Interface> read_own_addresses(Netlink& netlink);
std::vector<Interface> read_routers(Netlink& netlink);

// Those that pairs may follow. Throws CannotGoOn.
std::vector<InterfaceAddress> read_interface_addresses(Netlink& netlink);

// The interfaces by which default routes of any table leave; needs none either.
std::set<std::string> read_uplinks(Netlink& netlink);

// Those to which the kernel would send nothing.
std::vector<Address> without_route(Netlink& netlink, const std::vector<Address>& addresses);

}  // namespace statnat
