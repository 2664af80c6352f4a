// SPDX-License-Identifier: GPL-2.0-or-later
// Makes the fence as it should be, and tells whether it is as it was left.
#pragma once

#include "fence/fence.hpp"
#include "records/run_file.hpp"

#include <string>
#include <vector>

namespace statnat {

// Before rules come that mark packets otherwise, or not at all: lets pass what will be theirs. Throws CannotGoOn.
void open_for(const Configuration& coming, const RunFile& record);

// Makes it what the configuration asks for, and remembers that. "added 5 policy rules, added 2 routes", or
// `nothing_to_change`. Throws CannotGoOn.
std::string close_behind(const Configuration& configuration, const RunFile& record);

// Adds what one more pair asks for, and takes away what belongs to families that have no pairs any more.
void close_around(const Configuration& configuration, const std::vector<Family>& families_left, const RunFile& record);

// Takes it away.
std::string take_down(const RunFile& record);

// What is not as it was left, in sentences; nothing where nothing was.
std::vector<std::string> gaps(const RunFile& record);

}  // namespace statnat
