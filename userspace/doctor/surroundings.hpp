// SPDX-License-Identifier: GPL-2.0-or-later
// What is set around this tool such that pairs do not work, or may not; no packet is needed to see it.
#pragma once

#include "doctor/trouble.hpp"
#include "neighbours/neighbourhood.hpp"
#include "netlink/netlink.hpp"
#include "pairs/pairs.hpp"

#include <string>

namespace statnat {

// Whether a family is forwarded at all.
bool forwards(Family family);

Troubles troubles_with_settings(Netlink& netlink, const Neighbourhood& around, Family family);

// About external addresses: whether somebody answers for them, and this machine's errors find a way to them.
// `neighbours` is the command that has it so; empty: there is none.
Troubles troubles_with_externals(Netlink& netlink, const Neighbourhood& around, const Pairs& pairs,
                                 const std::string& neighbours);

}  // namespace statnat
