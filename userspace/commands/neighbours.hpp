// SPDX-License-Identifier: GPL-2.0-or-later
// The command that has this machine answered for external addresses on its networks, and what sync and clear do of it.
#pragma once

#include "actual/kernel.hpp"
#include "commands/desired.hpp"
#include "commands/engine.hpp"
#include "pairs/pairs.hpp"
#include "progress.hpp"

#include <optional>
#include <ostream>
#include <string>

namespace statnat {

enum class Announce { no, yes };

// Has the external addresses of pairs answered for, and no others any more; without pairs, undoes all of that. Returns
// what changed. Throws CannotGoOn.
std::string answer_for(const Pairs& pairs, const Kernel& kernel, Announce announce = Announce::no);

// Undoes it, where any of it was done: a router may have a million routes to look through.
std::string answer_for_nobody(const Kernel& kernel);

// Returns the exit status.
int neighbours(Kernel& kernel, const Path& file, const std::optional<EngineChoice>& engine, Announce announce,
               Progress& progress, std::ostream& out);

}  // namespace statnat
