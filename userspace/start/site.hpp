// SPDX-License-Identifier: GPL-2.0-or-later
// A gateway before it has pairs: which side is which, and what else they will meet.
#pragma once

#include "actual/kernel.hpp"
#include "neighbours/neighbourhood.hpp"
#include "pairs/prefix.hpp"
#include "start/firewalls.hpp"

#include <set>
#include <string>
#include <vector>

namespace statnat {

// An interface, and the networks that it is in.
struct Segment {
    std::string interface;
    std::vector<Prefix> networks{};
};

struct Site {
    std::vector<Segment> outside{};     // default routes leave there
    std::vector<Segment> inside{};      // all others that have addresses
    std::vector<Address> hosts{};       // of each family inside one that nobody is known to have: an example
    std::vector<Family> not_forwarded{};  // of these
    Availability module{};
    std::vector<Firewall> firewalls{};
};

// Its sides alone.
Site sides(const Neighbourhood& around, const std::set<std::string>& uplinks);

// Asks the kernel. Throws CannotGoOn.
Site look_at_site(Kernel& kernel);

}  // namespace statnat
