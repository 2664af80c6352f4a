// SPDX-License-Identifier: GPL-2.0-or-later
// Which engine it is to be, and what of a configuration it can have.
#pragma once

#include "actual/kernel.hpp"
#include "config/configuration.hpp"
#include "error.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace statnat {

// Nothing: the module if it is available.
using EngineChoice = std::optional<Engine>;

// Whoever has rules with the expression has the module; only otherwise is the kernel asked, in a batch of its own.
Availability availability(Kernel& kernel, const Ruleset& actual);

// What is loaded of a configuration, by which engine, and what is not.
struct Loadable {
    Engine engine = Engine::native;
    Configuration configuration{};  // with the pairs that this engine can have
    Pairs waiting{};                // for the module: all others
    std::string no_module{};        // why it is the native engine, where nobody has asked for that

    Ruleset ruleset() const;
    // For want of the module, or of what an interface is to have.
    int status() const;
};

// Throws CannotGoOn, or InvalidConfiguration.
Loadable loadable(Kernel& kernel, EngineChoice choice, Configuration configuration, const Ruleset& actual);

// Throws InvalidConfiguration where the native engine is asked for, and pairs that it cannot have.
void refuse_contradiction(EngineChoice choice, const Configuration& configuration);

// Throws InvalidConfiguration where an instance that has a name asks for what there can be only once.
void refuse_in_instance(const Instance& instance, const Configuration& configuration);

// What is lost for want of the module, if it is: a sentence about hosts, and one about pairs that wait.
std::vector<std::string> losses(const Loadable& loadable);
// And with them each pair that waits for an interface.
void warn_of_losses(const Loadable& loadable);
void warn_of_waiting(const Configuration& configuration);

}  // namespace statnat
