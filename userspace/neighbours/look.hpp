// SPDX-License-Identifier: GPL-2.0-or-later
// Looks at what is around this machine, through rtnetlink.
#pragma once

#include "neighbours/surroundings.hpp"
#include "netlink/netlink.hpp"

namespace statnat {

// Throws CannotGoOn. Needs no privileges.
Surroundings look_around(Netlink& netlink);

}  // namespace statnat
