// SPDX-License-Identifier: GPL-2.0-or-later
// Which engine it is to be.
#pragma once

#include "config/configuration.hpp"
#include "netlink/kernel.hpp"

#include <optional>
#include <string_view>

namespace statnat {

// Nothing: the module if it is available.
using EngineChoice = std::optional<Engine>;

std::string_view name(Engine engine);

// Whoever has rules with the expression has the module; only otherwise is the kernel asked, in a batch of its own.
Availability availability(Kernel& kernel, const Ruleset& actual);

// What not all engines can have says where it was asked for. Throws CannotGoOn, or InvalidConfiguration.
Engine pick_engine(Kernel& kernel, EngineChoice choice, const Configuration& configuration, const Ruleset& actual);

}  // namespace statnat
