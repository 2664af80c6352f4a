// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/desired.hpp"

#include "actual/this_machine.hpp"
#include "config/configuration_files.hpp"
#include "config/source_table.hpp"
#include "printable.hpp"
#include "quantity.hpp"
#include "records/last_good.hpp"
#include "reports/plan_text.hpp"
#include "ruleset/layout.hpp"
#include "source/snapshot.hpp"

#include <algorithm>
#include <set>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace statnat {

namespace {

Desired read(const Path& file, Progress& progress, DropIns drop_ins, const AskSource& ask) {
    const Progress::Step step(progress, "reading " + file.string());
    const auto ask_etcd = [&](const Source& source) {
        Progress::Step pages(progress, "reading pairs from etcd");
        return read_source(source, [&](std::size_t pairs) { pages.count(pairs); });
    };
    std::int64_t removed = 0;
    const auto ask_and_note = [&](const Source& source) {
        auto snapshot = ask ? ask(source) : ask_etcd(source);
        removed = removed_of(*snapshot);
        return snapshot;
    };
    Configuration configuration = read_configuration(file, drop_ins, {addresses_of_interfaces, ask_and_note});
    return {std::move(configuration), exit_done, removed};
}

// Nothing where none is kept, or what is kept is broken itself.
std::optional<Configuration> read_last_good(const Path& file, Progress& progress) {
    const auto kept = LastGood::of(file);
    std::error_code ignored;
    if (!kept || !std::filesystem::exists(kept->file(), ignored)) {
        return std::nullopt;
    }
    try {
        return read(kept->file(), progress, DropIns::ignored, {}).configuration;
    } catch (const InvalidConfiguration& invalid) {
        spdlog::error("what worked last is broken, too: {}", printable(invalid.errors.front().text()));
        return std::nullopt;
    }
}

Desired instead(const Path& file, Configuration configuration) {
    spdlog::error("{} is not used: the configuration that worked last is, with {}", file.string(),
                  quantity(configuration.pairs.size(), "pair"));
    return {std::move(configuration), exit_last_good};
}

// As if the kernel still had what worked last.
std::optional<std::string> suspicion(const Configuration& now, const Configuration& before, const Path& file) {
    const Ruleset desired = layout(now, Engine::expression);
    const Ruleset actual = layout(before, Engine::expression);
    return suspicion(plan(desired, actual), desired, actual, now.interface_pairs, file);
}

}  // namespace

Configuration read_here(const Path& file) {
    return read_configuration(file, DropIns::read, {addresses_of_interfaces, {}});
}

Desired read_desired(const Path& file, Progress& progress, const AskSource& ask) {
    return read(file, progress, DropIns::read, ask);
}

Desired read_desired_or_last_good(const Path& file, Progress& progress, WithoutSource without, const AskSource& ask) {
    try {
        Desired desired = read(file, progress, DropIns::read, ask);
        auto before = read_last_good(file, progress);
        const auto reason = before ? suspicion(desired.configuration, *before, file) : std::nullopt;
        if (!reason) {
            return desired;
        }
        spdlog::error("{}", *reason);
        return instead(file, std::move(*before));
    } catch (const InvalidConfiguration& invalid) {
        auto before = read_last_good(file, progress);
        if (!before) {
            throw;
        }
        const std::size_t count = invalid.errors.size();
        spdlog::error("{}{}", printable(invalid.errors.front().text()),
                      count == 1 ? "" : fmt::format(" (and {} more)", quantity(count - 1, "error")));
        return instead(file, std::move(*before));
    } catch (const CannotGoOn& failure) {
        const bool is_wanted = failure.status == exit_no_source && without == WithoutSource::last_good;
        auto before = is_wanted ? read_last_good(file, progress) : std::nullopt;
        if (!before) {
            throw;
        }
        spdlog::error("{}", printable(failure.sentence));
        return instead(file, std::move(*before));
    }
}

void keep_last_good(const Path& file, const Configuration& configuration) {
    const auto kept = LastGood::of(file);
    if (!kept) {
        return;
    }
    try {
        kept->keep(configuration);
    } catch (const CannotGoOn& failure) {
        spdlog::warn("this configuration is not kept as what worked last: {}", failure.sentence);
    } catch (const std::system_error& failure) {
        spdlog::warn("this configuration is not kept as what worked last: {}", failure.what());
    }
}

std::optional<std::string> suspicion(const Plan& plan, const Ruleset& desired, const Ruleset& actual,
                                     const std::vector<InterfacePair>& interface_pairs, const Path& file,
                                     std::size_t meant) {
    std::set<Prefix> waiting;
    for (const InterfacePair& one : interface_pairs) {
        if (one.waits()) {
            waiting.insert(*one.pair.internal);
        }
    }
    Loss found = loss(plan, desired, actual, waiting);
    found.lost -= std::min(found.lost, meant);
    if (!found.is_suspicious()) {
        return std::nullopt;
    }
    return fmt::format("this would remove {}{}, as if {} were cut off: if it is not, sync --force removes them (and "
                       "clear all there are)",
                       found.lost == found.of ? "all " : fmt::format("{} of ", found.lost), quantity(found.of, "pair"),
                       file.string());
}

}  // namespace statnat
