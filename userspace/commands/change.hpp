// SPDX-License-Identifier: GPL-2.0-or-later
// What a command makes of the kernel's ruleset, in one transaction or not at all.
#pragma once

#include "actual/kernel.hpp"
#include "config/configuration.hpp"
#include "ruleset/plan.hpp"
#include "ruleset/ruleset.hpp"

#include <functional>
#include <ostream>
#include <string>

namespace statnat {

// What was there, what has been made of it, and how.
struct Change {
    Ruleset before;
    Ruleset after;
    Plan plan;
};

// Reads, decides, commits, and starts again when somebody else came in between. `decide` makes the desired ruleset of
// what is there; `approve` may throw at what is about to be committed.
Change change(Kernel& kernel, const std::function<Ruleset(const Ruleset&)>& decide, Depth depth = Depth::elements,
              const std::function<void(const Change&)>& approve = [](const Change&) {});

// The same around one pair that is to come or to go, as far as it is known: what has nothing to do with it need not be
// read.
Change change_around(Kernel& kernel, const Candidate& pair, const std::function<Ruleset(const Ruleset&)>& decide);

// Has what comes for external addresses led to the VRF of a configuration, and what was led elsewhere no more. Returns
// what changed. Throws CannotGoOn.
std::string deliver_to_vrf(Kernel& kernel, const Configuration& configuration);

// "added 2, removed 1, changed 3 pairs, wrote the rules"
std::string summary(const Change& change);

// Says so, with the numbers of pairs for the journal.
void tell(std::ostream& out, const Change& change, const std::string& behind = {});

}  // namespace statnat
