// SPDX-License-Identifier: GPL-2.0-or-later
// Commands about where this machine is looked for as the gateway of external addresses, and what sync, clear and watch
// do of them.
#pragma once

#include "actual/kernel.hpp"
#include "commands/desired.hpp"
#include "commands/engine.hpp"
#include "pairs/pairs.hpp"
#include "progress.hpp"

#include <optional>
#include <ostream>
#include <string>
#include <vector>

namespace statnat {

enum class Announce { no, yes };

// As a sync has it by its configuration: the external addresses of pairs are answered for, and no others any more, or
// routing daemons have routes to go by, or neither. Where the gateway is drained, routes wait for the end of that.
// Returns what changed. Throws CannotGoOn.
std::string answer_as_configured(const Configuration& configuration, const Kernel& kernel);

// Undoes it, where any of it was done: a router may have a million routes to look through.
std::string answer_for_nobody(const Kernel& kernel);

// Takes all of our routes away at once, so that nobody sends here what is not translated. Returns which. Throws
// CannotGoOn.
std::vector<Prefix> withdraw();
// Those are there again, what has come there meanwhile stays; but not where it is drained. Throws CannotGoOn.
void put_back(const std::vector<Prefix>& routes, const Kernel& kernel);

// Whether routes are kept away by the command.
bool is_drained(const Kernel& kernel);

// Returns the exit status.
int neighbours(Kernel& kernel, const Path& file, const std::optional<EngineChoice>& engine, Announce announce,
               Progress& progress, std::ostream& out);

// Takes all routes away for as long as nobody ends that, or the machine runs; pairs stay. Returns the exit status.
int drain(Kernel& kernel, std::ostream& out);
// `ailments`: why this gateway is not to be sent anything yet, in sentences.
int end_drain(Kernel& kernel, const std::vector<std::string>& ailments, std::ostream& out);

}  // namespace statnat
