// SPDX-License-Identifier: GPL-2.0-or-later
// The rules and pairs as text for a ruleset file to include, so that all of it is loaded in one transaction.
#pragma once

#include "actual/kernel.hpp"
#include "commands/desired.hpp"
#include "commands/engine.hpp"
#include "names.hpp"
#include "progress.hpp"

#include <optional>
#include <ostream>

namespace statnat {

// Writes `ruleset` where `configuration` wants it, if it does.
void put_ruleset_file(const Configuration& configuration, const Ruleset& ruleset, const Instance& instance);

struct RenderOptions {
    std::optional<EngineChoice> engine{};
    std::optional<Path> output{};  // nothing: where the configuration wants it, or to `out`
    bool last_good = false;        // where the configuration is broken, that which worked last
};

// Returns the exit status.
int render(Kernel& kernel, const Path& file, const RenderOptions& options, Progress& progress, std::ostream& out);

}  // namespace statnat
