// SPDX-License-Identifier: GPL-2.0-or-later
// What a plan does, told in pairs and in lines; pure functions.
#pragma once

#include "ruleset/plan.hpp"

#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace statnat {

struct PairCounts {
    std::size_t added = 0;
    std::size_t removed = 0;
    std::size_t changed = 0;   // another external, comment or kind
    std::size_t excluded = 0;  // or no longer: addresses and prefixes
};

PairCounts count_pairs(const Plan& plan);

// How many pairs would be left over of what there was, as after a configuration that is empty or cut off.
struct Loss {
    std::size_t lost = 0;
    std::size_t of = 0;

    // All of them, or more than half where there are enough for a half to mean something.
    bool is_suspicious() const {
        constexpr std::size_t enough = 10;
        return lost > 0 && (lost == of || (of >= enough && lost > of / 2));
    }
};

// Pairs of both families whose internal address no pair has any longer, less those that come in their place: a change
// of addresses, inside or outside, is no loss, nor are those that wait.
Loss loss(const Plan& plan, const Ruleset& desired, const Ruleset& actual, const std::set<Prefix>& waiting = {});

// What the steps do, in pairs where they can be told in pairs, one line each, for `diff`:
// "+ 10.0.0.2 198.51.100.2 # mail", "- ...", "+ exclude 10.1.0.1", "~ chain ip statnat prerouting: rules", for tables
// of that name.
std::vector<std::string> describe(const Plan& plan, std::string_view table);

}  // namespace statnat
