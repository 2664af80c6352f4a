// SPDX-License-Identifier: GPL-2.0-or-later
// What was left of a fence, and what had to be changed for it.
#pragma once

#include "fence/fence.hpp"
#include "records/run_file.hpp"

#include <optional>
#include <set>
#include <string>
#include <vector>

namespace statnat {

struct FenceRecord {
    bool changed_setting = false;           // src_valid_mark
    std::set<std::string> held{};           // interfaces that hold no filters but for ours
    std::vector<std::string> external{};    // on which there are filters once they are there
    std::set<std::string> lines{};          // the rest
};

// Nothing: no fence was left.
std::optional<FenceRecord> recall_fence(const RunFile& file);

// With the lines of that fence; of an empty one nothing is kept.
void keep(const FenceRecord& record, const Fence& fence, const RunFile& file);

}  // namespace statnat
