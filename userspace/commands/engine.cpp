// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/engine.hpp"

#include "error.hpp"
#include "quantity.hpp"
#include "ruleset/layout.hpp"
#include "vrf/delivery.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

namespace statnat {

namespace {

bool any_uses_expression(const Ruleset& ruleset) {
    return std::any_of(ruleset.begin(), ruleset.end(), [](const Table& table) {
        return std::any_of(table.chains.begin(), table.chains.end(),
                           [](const Chain& chain) { return uses_expression(chain.rules); });
    });
}

// To bypass conntrack instead, untold, would be to pass by what a firewall asks of it.
void refuse_unfollowed(const Configuration& configuration, const std::string& no_module) {
    if (configuration.conntrack == Conntrack::follow) {
        throw CannotGoOn{fmt::format("conntrack = \"follow\" needs the module{}{}; or say conntrack = \"bypass\", "
                                     "which firewalls must know about",
                                     no_module.empty() ? "" : ": ", no_module)};
    }
}

Loadable natively(Configuration configuration, std::string no_module) {
    Loadable loadable{Engine::native, std::move(configuration), {}, std::move(no_module)};
    Pairs& pairs = loadable.configuration.pairs;
    loadable.waiting = pairs.prefixes();
    pairs = pairs.hosts();
    return loadable;
}

// "10.1.0.0/24 203.0.113.0/24, fd00:2::/48 2001:db8:2::/48 npt and 7 more"
std::string some_of(const Pairs& pairs) {
    constexpr std::size_t most_named = 3;
    std::vector<std::string> names;
    for (auto pair = pairs.begin(); pair != pairs.end() && names.size() < most_named; ++pair) {
        names.push_back((*pair).text());
    }
    const std::size_t more = pairs.size() - names.size();
    return fmt::format("{}{}", fmt::join(names, ", "), more == 0 ? "" : fmt::format(" and {} more", more));
}

}  // namespace

Availability availability(Kernel& kernel, const Ruleset& actual) {
    return any_uses_expression(actual) ? Availability{true, {}} : kernel.probe();
}

Ruleset Loadable::ruleset() const {
    return layout(configuration, engine);
}

int Loadable::status() const {
    const auto& interface_pairs = configuration.interface_pairs;
    const bool complete = waiting.empty() && std::none_of(interface_pairs.begin(), interface_pairs.end(),
                                                          [](const InterfacePair& one) { return one.waits(); });
    return complete ? exit_done : exit_waiting;
}

Loadable loadable(Kernel& kernel, EngineChoice choice, Configuration configuration, const Ruleset& actual) {
    refuse_contradiction(choice, configuration);
    refuse_in_instance(kernel.instance(), configuration);
    if (configuration.vrf) {
        configuration.vrf->ports = ports_of(configuration.vrf->name);
    }
    if (choice == Engine::native) {
        refuse_unfollowed(configuration, {});
        return natively(configuration, {});
    }
    const Availability expression = availability(kernel, actual);
    if (expression.available) {
        return {Engine::expression, configuration};
    }
    refuse_unfollowed(configuration, expression.why_not);
    if (choice == Engine::expression) {
        throw CannotGoOn{fmt::format("engine \"expression\" is not available: {}; or use engine {}", expression.why_not,
                                     configuration.pairs.prefixes().empty()
                                         ? "\"native\""
                                         : "\"auto\", with which hosts are loaded and pairs of prefixes wait")};
    }
    return natively(configuration, expression.why_not);
}

void refuse_in_instance(const Instance& instance, const Configuration& configuration) {
    if (instance.is_named() && configuration.not_for_instance) {
        throw InvalidConfiguration{{*configuration.not_for_instance}};
    }
}

void refuse_contradiction(EngineChoice choice, const Configuration& configuration) {
    if (choice == Engine::native && configuration.not_for_native) {
        throw InvalidConfiguration{{*configuration.not_for_native}};
    }
}

std::vector<std::string> losses(const Loadable& loadable) {
    std::vector<std::string> sentences;
    const bool has_hosts = !loadable.configuration.pairs.empty();
    const std::string since = loadable.no_module.empty() ? "" : ", since " + loadable.no_module;
    if (has_hosts && !since.empty()) {
        sentences.push_back(fmt::format(
            "engine native{}: ICMP errors are translated in their outer header only, and more is lacking "
            "(statnat-nft status names it under \"lacks:\"){}",
            since, loadable.waiting.empty() ? "; where that is wanted, engine = \"native\" says so" : ""));
    }
    if (!loadable.waiting.empty()) {
        const std::size_t count = loadable.waiting.size();
        sentences.push_back(fmt::format("{} of prefixes {} for the module, untranslated until a sync finds it{}: {}",
                                        quantity(count, "pair"), count == 1 ? "waits" : "wait", has_hosts ? "" : since,
                                        some_of(loadable.waiting)));
    }
    if (has_hosts && loadable.engine == Engine::native && loadable.configuration.fast_path) {
        sentences.push_back("fast-path waits for the module; until a sync finds it, packets go their usual way");
    }
    return sentences;
}

void warn_of_losses(const Loadable& loadable) {
    for (const std::string& sentence : losses(loadable)) {
        spdlog::warn("{}", sentence);
    }
    warn_of_waiting(loadable.configuration);
}

void warn_of_waiting(const Configuration& configuration) {
    for (const InterfacePair& one : configuration.interface_pairs) {
        if (one.waits()) {
            spdlog::warn("{} waits, untranslated until a sync finds it: {}", one.text(), one.why_waits);
        }
    }
    for (const Pair& pair : configuration.waiting_inbound) {
        spdlog::warn("{} waits with it: what comes for {} would be answered from the internal address",
                     pair.internal.short_text(), pair.external.short_text());
    }
}

}  // namespace statnat
