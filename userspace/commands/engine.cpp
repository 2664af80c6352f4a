// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/engine.hpp"

#include "error.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace statnat {

namespace {

bool any_uses_expression(const Ruleset& ruleset) {
    return std::any_of(ruleset.begin(), ruleset.end(), [](const Table& table) {
        return std::any_of(table.chains.begin(), table.chains.end(),
                           [](const Chain& chain) { return uses_expression(chain.rules); });
    });
}

}  // namespace

std::string_view name(Engine engine) {
    return engine == Engine::expression ? "expression" : "native";
}

Availability availability(Kernel& kernel, const Ruleset& actual) {
    return any_uses_expression(actual) ? Availability{true, {}} : kernel.probe();
}

Engine pick_engine(Kernel& kernel, EngineChoice choice, const Configuration& configuration, const Ruleset& actual) {
    const auto& not_for_native = configuration.not_for_native;
    if (choice == Engine::native && not_for_native) {
        throw InvalidConfiguration{{*not_for_native}};
    }
    if (choice == Engine::native) {
        return Engine::native;
    }
    const Availability expression = availability(kernel, actual);
    if (expression.available) {
        return Engine::expression;
    }
    if (choice == Engine::expression) {
        throw CannotGoOn{fmt::format("engine \"expression\" is not available: {}{}", expression.why_not,
                                     not_for_native ? "" : "; or use engine \"native\"")};
    }
    if (not_for_native) {
        throw CannotGoOn{fmt::format("{}, and {}", not_for_native->text(), expression.why_not)};
    }
    spdlog::debug("engine native, since {}", expression.why_not);
    return Engine::native;
}

}  // namespace statnat
