// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/neighbours.hpp"

#include "neighbours/answers.hpp"
#include "neighbours/look.hpp"
#include "neighbours/performance.hpp"
#include "neighbours/record.hpp"
#include "neighbours/settings.hpp"
#include "neighbours/steps.hpp"
#include "netlink/socket.hpp"
#include "printable.hpp"

#include <spdlog/spdlog.h>

namespace statnat {
namespace {

void warn(const std::vector<std::string>& sentences) {
    for (const std::string& sentence : sentences) {
        spdlog::warn("{}", printable(sentence));
    }
}

}  // namespace

// Remembered before it is done, so that whatever happens in between can be undone.
std::string answer_for(const Pairs& pairs, const Kernel& kernel) {
    Netlink netlink(open_route_socket());
    const Surroundings around = look_around(netlink);
    const Answers wanted = answers(pairs, around);
    NeighboursRecord record = recall(kernel.neighbours());
    const ChangedSettings before = record.settings;
    const Steps todo = steps(wanted, around, read_settings(wanted.settings, before), before);
    for (const auto& [name, changed] : todo.to_remember) {
        record.settings[name] = changed;
    }
    keep(kernel.neighbours(), record);
    warn(perform(todo, netlink));
    record.settings = todo.to_remember;
    keep(kernel.neighbours(), record);
    warn(warnings(wanted));
    return summary(todo);
}

int neighbours(Kernel& kernel, const Path& file, const std::optional<EngineChoice>& engine, Progress& progress,
               std::ostream& out) {
    const Configuration configuration = read_desired(file, progress).configuration;
    const Loadable loaded = loadable(kernel, engine.value_or(configuration.engine), configuration,
                                     kernel.read(Depth::known).ruleset);
    out << answer_for(loaded.configuration.pairs, kernel) << '\n';
    warn_of_losses(loaded);
    return loaded.status();
}

}  // namespace statnat
