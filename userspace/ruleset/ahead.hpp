// SPDX-License-Identifier: GPL-2.0-or-later
// Chains that are asked just before others and do the same, while a reload of the whole ruleset is under way.
//
// Such a reload makes each chain anew, and the kernel asks a new chain before an old one of the same priority
// (nf_hook_entries_grow()). A packet that another processor has between the two in the moment of the commit has met the
// new one before it counts, and meets the old one when it does not any more: neither translates it. One that was asked
// still earlier has translated it, or leaves it to the new one.
#pragma once

#include "ruleset/ruleset.hpp"

namespace statnat {

bool is_ahead(const Chain& chain);

// With such a chain for each that has a hook, unless somebody else has written rules into it.
Ruleset with_chains_ahead(Ruleset ruleset);

}  // namespace statnat
