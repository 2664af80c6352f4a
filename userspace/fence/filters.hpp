// SPDX-License-Identifier: GPL-2.0-or-later
// What stands behind all hooks on the way out: a filter of each external interface, which drops what our rules in
// prerouting have marked and those in postrouting have not cleared, since they went in between.
#pragma once

#include "fence/fence.hpp"
#include "netlink/netlink.hpp"

#include <set>
#include <string>
#include <vector>

namespace statnat {

// The names of all interfaces of this network namespace.
std::vector<std::string> interfaces_there();

// Those of ours. Throws CannotGoOn.
std::set<Filter> filters_there(Netlink& netlink);

// Returns whether there was nothing yet that holds filters (the queueing discipline clsact). Throws CannotGoOn.
bool add_filter(Netlink& netlink, const Filter& filter);

// With what holds it, if nobody else's is there; of an interface that is gone as well. Throws CannotGoOn.
void remove_filter(Netlink& netlink, const Filter& filter, bool with_holder);

}  // namespace statnat
