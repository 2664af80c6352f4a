// SPDX-License-Identifier: GPL-2.0-or-later
// What is set around this tool such that pairs do not work, or may not; no packet is needed to see it.
#pragma once

#include "config/configuration.hpp"
#include "doctor/roads.hpp"
#include "doctor/trouble.hpp"
#include "neighbours/neighbourhood.hpp"
#include "netlink/netlink.hpp"
#include "pairs/pairs.hpp"
#include "vrf/survey.hpp"

#include <optional>
#include <string>
#include <vector>

namespace statnat {

// Whether a family is forwarded at all.
bool forwards(Family family);

Troubles troubles_with_settings(Netlink& netlink, const Neighbourhood& around, Family family);

// About the VRF that the inside is in, as the rules know it and as it is; `sync` is the command that makes them one.
Troubles troubles_with_vrf(Netlink& netlink, const Vrf& vrf, const std::optional<VrfDevice>& device,
                           const std::vector<Family>& of_pairs, const std::string& sync);

// About external addresses: whether somebody answers for them, and this machine's errors find a way to them, by whose
// routes these go. `neighbours` is the command that has it so; empty: there is none.
Troubles troubles_with_externals(Netlink& netlink, const Neighbourhood& around, const Pairs& pairs,
                                 const Inside& of_errors, const std::string& neighbours);

}  // namespace statnat
