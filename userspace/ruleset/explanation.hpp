// SPDX-License-Identifier: GPL-2.0-or-later
// What the kernel's tables do to one address, in each direction, and why; pure functions.
#pragma once

#include "pairs/translation.hpp"
#include "ruleset/ruleset.hpp"

#include <optional>
#include <string>
#include <vector>

namespace statnat {

// A pair that has the address, and what it makes of it; `becomes` is not there if npt has no counterpart.
struct Match {
    Pair pair;
    Fate fate = Fate::one;
    std::optional<Address> becomes{};
};

// The address on one side of its pair.
struct Handling {
    std::string chain;  // empty: no rule translates this direction
    std::string rule;
    std::string map;             // that has the address; empty: none
    std::optional<Match> match;  // nothing: no pair, or a hole
    std::optional<Prefix> hole;
    std::optional<Prefix> excluded;  // the internal side of the hole, if that is why there is one
    std::optional<Pair> beside;     // the pair that overrides, and so makes the hole; or by which a host answers
    std::vector<Address> further;   // externals by which an internal host is reached, too
    std::vector<Match> overridden;  // shorter ones, longest first
    std::vector<std::string> exceptions;  // "tcp 8443", which the pair is not for
};

struct Explanation {
    Address address;
    Handling outbound;                        // as the source of what an internal host sends
    Handling inbound;                         // as the destination of what comes from outside
    std::vector<Prefix> exempt_destinations;  // of outbound packets
    std::vector<Prefix> only_destinations;    // that these must have; none: any
    std::vector<std::string> external_interfaces;  // by which packets leave or come; none: by any
    std::optional<Prefix> exempt;             // the one that covers the address

    bool has_pair() const { return outbound.match || inbound.match; }
};

Explanation explain(const Ruleset& ruleset, const Address& address);

}  // namespace statnat
