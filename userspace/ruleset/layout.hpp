// SPDX-License-Identifier: GPL-2.0-or-later
// From a configuration to the ruleset that it desires: a pure function, no I/O.
#pragma once

#include "config/configuration.hpp"
#include "ruleset/ruleset.hpp"

namespace statnat {

// The tables, maps, chains and rules that a configuration asks for (docs/design.md draws them); by the native engine
// those of its hosts.
Ruleset layout(const Configuration& configuration, Engine engine);

}  // namespace statnat
