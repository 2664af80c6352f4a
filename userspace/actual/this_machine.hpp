// SPDX-License-Identifier: GPL-2.0-or-later
// The machine that a command runs on, as far as it can be known; nothing is said of the rest.
#pragma once

#include "actual/kernel.hpp"
#include "config/interface_side.hpp"
#include "names.hpp"
#include "netlink/netlink.hpp"
#include "pairs/pairs.hpp"
#include "progress.hpp"
#include "ruleset/machine.hpp"

#include <functional>
#include <vector>

namespace statnat {

// The kernel of this network namespace, with what is remembered of it since boot.
Kernel this_kernel(const Instance& instance, Progress& progress);

// The addresses of this network namespace, with what `more` asks for.
Machine this_machine(const std::function<void(Netlink&, Machine&)>& more);

// Those of its interfaces that pairs may follow. Throws CannotGoOn: that there are none must be certain.
std::vector<InterfaceAddress> addresses_of_interfaces();

// Warns of what prefixes cover of it.
void warn_of_this_machine(const Pairs& pairs);

}  // namespace statnat
