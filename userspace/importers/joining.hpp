// SPDX-License-Identifier: GPL-2.0-or-later
// From what was found to pairs that can stand beside each other: halves become whole, and what contradicts is left.
#pragma once

#include "importers/finding.hpp"
#include "pairs/pair.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace statnat {

struct Joined {
    std::vector<Pair> pairs;
    std::vector<Leftover> leftovers;  // of the reading and of this, as they stand in the text
    std::vector<std::string> notes;   // what is different with pairs, but no loss
};

// `file` is the name of the text, for sentences that name two places.
Joined join(Reading reading, std::string_view file);

}  // namespace statnat
