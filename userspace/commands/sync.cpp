// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/sync.hpp"

#include "commands/change.hpp"
#include "commands/this_machine.hpp"
#include "config/toml_file.hpp"
#include "error.hpp"
#include "quantity.hpp"
#include "ruleset/layout.hpp"
#include "ruleset/plan_text.hpp"

#include <string>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace statnat {

namespace {

Configuration read(const Path& file, Progress& progress) {
    const Progress::Step step(progress, "reading " + file.string());
    return read_configuration(file);
}

// Why a sync would be refused, if it would: nobody takes that many pairs away without saying so.
std::optional<std::string> suspicion(const Plan& plan, const Ruleset& desired, const Ruleset& actual,
                                     const Path& file) {
    const Loss found = loss(plan, desired, actual);
    if (!found.is_suspicious()) {
        return std::nullopt;
    }
    return fmt::format("this would remove {}{}, as if {} were cut off: if it is not, sync --force removes them (and "
                       "clear all there are)",
                       found.lost == found.of ? "all " : fmt::format("{} of ", found.lost), quantity(found.of, "pair"),
                       file.string());
}

EngineChoice chosen(const std::optional<EngineChoice>& option, const Configuration& configuration) {
    return option ? *option : configuration.engine;
}

}  // namespace

int sync(Kernel& kernel, const Path& file, const std::optional<EngineChoice>& option, bool force, Progress& progress,
         std::ostream& out) {
    const Configuration configuration = read(file, progress);
    const auto approve = [&](const Change& planned) {
        const auto reason = suspicion(planned.plan, planned.after, planned.before, file);
        if (reason && !force) {
            throw CannotGoOn{*reason + "; nothing has been done"};
        }
    };
    const auto decide = [&](const Ruleset& actual) {
        return layout(configuration, pick_engine(kernel, chosen(option, configuration), configuration, actual));
    };
    const Change done = change(kernel, decide, Depth::elements, approve);
    out << summary(done) << '\n';
    warn_of_this_machine(configuration.pairs);
    return exit_done;
}

int check(const Path& file, Progress& progress, std::ostream& out) {
    const Configuration configuration = read(file, progress);
    if (configuration.engine == Engine::native && configuration.not_for_native) {
        throw InvalidConfiguration{{*configuration.not_for_native}};
    }
    out << file.string() << ": " << quantity(configuration.pairs.size(), "pair") << ", no errors\n";
    warn_of_this_machine(configuration.pairs);
    return exit_done;
}

int diff(Kernel& kernel, const Path& file, const std::optional<EngineChoice>& option, bool exit_code,
         Progress& progress, std::ostream& out) {
    const Configuration configuration = read(file, progress);
    const Ruleset actual = kernel.read().ruleset;
    const Engine engine = pick_engine(kernel, chosen(option, configuration), configuration, actual);
    const Ruleset desired = layout(configuration, engine);
    const Plan steps = plan(desired, actual);
    for (const std::string& line : describe(steps)) {
        out << line << '\n';
    }
    if (const auto reason = suspicion(steps, desired, actual, file)) {
        spdlog::warn("{}", *reason);
    }
    return exit_code && !steps.empty() ? exit_different : exit_done;
}

int clear(Kernel& kernel, std::ostream& out) {
    const Change done = change(kernel, [](const Ruleset&) { return Ruleset{}; }, Depth::known);
    out << summary(done) << '\n';
    return exit_done;
}

}  // namespace statnat
