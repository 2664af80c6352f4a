// SPDX-License-Identifier: GPL-2.0-or-later
// What pairs mean for this machine's own addresses, for the routers beside it and for the rulesets of others; pure
// functions.
#pragma once

#include "pairs/pairs.hpp"

#include <string>
#include <vector>

namespace statnat {

// An address of an interface, or of a router behind it.
struct Interface {
    Address address;
    std::string name;
};

// A base chain in a table that is not ours.
struct OtherChain {
    std::string place;  // "inet filter input"
    std::vector<Family> families;
    bool translates = false;  // of type nat
};

struct Machine {
    std::vector<Interface> own{};
    std::vector<Interface> routers{};  // next hops of its routes
    std::vector<OtherChain> chains{};
    std::vector<Address> unrouted{};  // external addresses that it has no route to
};

// External addresses, some of each kind of pair: all of them where they are few.
std::vector<Address> some_external(const Pairs& pairs);

// One sentence for each pair of prefixes that covers some of them, on either side, with what becomes of these.
std::vector<std::string> warnings(const Pairs& pairs, const Machine& machine);

// One sentence for each own address that a host inside has as its external one, for each chain of others whose rules
// packets of pairs pass by, and for external addresses without a route.
std::vector<std::string> notes(const Pairs& pairs, const Machine& machine);

// One sentence for each flowtable, where conntrack follows packets of pairs.
std::vector<std::string> warnings_of_flowtables(const std::vector<std::string>& places);

}  // namespace statnat
