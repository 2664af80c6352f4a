// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/sync.hpp"

#include "actual/claims.hpp"
#include "actual/this_machine.hpp"
#include "commands/change.hpp"
#include "commands/desired.hpp"
#include "commands/neighbours.hpp"
#include "commands/render.hpp"
#include "error.hpp"
#include "fence/filters.hpp"
#include "fence/survey.hpp"
#include "fence/upkeep.hpp"
#include "journal_sink.hpp"
#include "neighbours/steps.hpp"
#include "printable.hpp"
#include "quantity.hpp"
#include "records/interface_pairs.hpp"
#include "records/source_record.hpp"
#include "reports/plan_text.hpp"
#include "ruleset/ahead.hpp"
#include "ruleset/machine.hpp"
#include "vrf/delivery.hpp"

#include <algorithm>
#include <functional>
#include <string>
#include <variant>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

namespace statnat {

namespace {

// What the kernel has is never older than what worked last: where there is something, it stays while a source is away.
Desired read_by(Kernel& kernel, const Path& file, const SyncOptions& options, Progress& progress) {
    const bool is_empty = options.fall_back != FallBack::never && kernel.read(Depth::known).ruleset.empty();
    const bool falls_back = options.fall_back == FallBack::always || (is_empty && !options.force);
    const WithoutSource without = is_empty ? WithoutSource::last_good : WithoutSource::throws;
    return falls_back ? read_desired_or_last_good(file, progress, without, options.ask)
                      : read_desired(file, progress, options.ask);
}

// How many pairs a source has lost on purpose since what is loaded; none where that is not known, or of another story.
std::size_t removed_since(const std::optional<SourceRecord>& record, std::int64_t removed) {
    return record && removed > record->removed ? static_cast<std::size_t>(removed - record->removed) : 0;
}

// For `status`. Whoever follows the source knows better when it was heard, and says so later.
void remember_source(const RunFile& file, const Desired& desired) {
    const Configuration& configuration = desired.configuration;
    std::optional<SourceRecord> record;
    if (configuration.source) {
        record = SourceRecord{.loaded = configuration.source_revision,
                              .removed = desired.removed,
                              .heard_at = since_boot(),
                              .stale_after = configuration.source->stale_after,
                              .endpoint = fmt::format("{}", fmt::join(configuration.source->etcd.endpoints, " or "))};
    }
    keep_source(file, record);
}

void warn_of_flowtables(Kernel& kernel, const Configuration& configuration) {
    if (configuration.conntrack == Conntrack::follow && !configuration.pairs.empty()) {
        for (const std::string& sentence : warnings_of_flowtables(kernel.flowtables())) {
            spdlog::warn("{}", printable(sentence));
        }
    }
}

// A full disk keeps nobody from what does not need it: that is said at the end.
std::optional<CannotGoOn> failure_of(const std::function<void()>& act) {
    try {
        act();
        return std::nullopt;
    } catch (const CannotGoOn& failure) {
        return failure;
    }
}

}  // namespace

int sync(Kernel& kernel, const Path& file, const std::optional<EngineChoice>& option, const SyncOptions& options,
         Progress& progress, std::ostream& out) {
    const Desired desired = read_by(kernel, file, options, progress);
    const Configuration& configuration = desired.configuration;
    bool is_meant = false;  // a loss that would be refused otherwise
    const std::size_t meant = removed_since(recall_source(kernel.source()), desired.removed);
    Loadable loaded;
    const auto decide = [&](const Ruleset& actual) {
        loaded = loadable(kernel, option.value_or(configuration.engine), configuration, actual);
        return loaded.ruleset();
    };
    const auto approve = [&](const Change& planned) {
        const auto reason_beside = [&](std::size_t how_many) {
            return suspicion(planned.plan, planned.after, planned.before, configuration.interface_pairs, file,
                             how_many);
        };
        const auto reason = reason_beside(meant);
        is_meant = !reason && meant != 0 && reason_beside(0);
        if (reason && !options.force) {
            warn_of_losses(loaded);  // perhaps what is left waits
            throw CannotGoOn{*reason + "; nothing has been done"};
        }
        if (!kernel.instance().is_named()) {
            open_for(loaded.configuration, kernel.fence());
        }
    };
    const Change done = change(kernel, decide, Depth::elements, approve);
    tell(out, done);
    const auto tell_of = [&](std::string_view what, const std::string& said) {
        if (said != nothing_to_change) {
            tell(out, fmt::format("{}: {}", what, said), {});
        }
    };
    const std::string closed = kernel.instance().is_named() ? std::string(nothing_to_change)
                                                            : close_behind(loaded.configuration, kernel.fence());
    tell_of("fail-closed", closed);
    const std::string delivered = deliver_to_vrf(kernel, loaded.configuration);
    tell_of("vrf", delivered);
    remember(kernel.interface_pairs(), configuration.interface_pairs);
    remember_source(kernel.source(), desired);
    warn_of_losses(loaded);
    if (desired.status == exit_done && (options.keep_last_good || is_meant)) {
        keep_last_good(file, configuration);
    }
    kernel.baseline().keep_degraded(desired.status == exit_last_good
                                        ? file.string() + " is not used: the configuration that worked last is"
                                        : fmt::format("{}", fmt::join(losses(loaded), "; ")));
    const auto unwritten = failure_of([&] { put_ruleset_file(configuration, done.after, kernel.instance()); });
    warn_of_this_machine(loaded.configuration.pairs);
    warn_of_flowtables(kernel, loaded.configuration);
    if (!kernel.instance().is_named()) {
        tell_of("neighbours", answer_as_configured(loaded.configuration, kernel));
    }
    if (unwritten) {
        throw CannotGoOn(*unwritten);
    }
    return desired.status_beside(loaded.status());
}

int check(const Path& file, const Instance& instance, Progress& progress, std::ostream& out) {
    const Configuration configuration = read_desired(file, progress).configuration;
    refuse_contradiction(configuration.engine, configuration);
    refuse_in_instance(instance, configuration);
    out << file.string() << ": " << quantity(configuration.pairs.size(), "pair") << ", no errors\n";
    warn_of_waiting(configuration);
    warn_of_this_machine(configuration.pairs);
    return exit_done;
}

int diff(Kernel& kernel, const Path& file, const std::optional<EngineChoice>& option, bool exit_code,
         Progress& progress, std::ostream& out) {
    const Configuration configuration = read_desired(file, progress).configuration;
    const Ruleset actual = kernel.read().ruleset;
    const Loadable loaded = loadable(kernel, option.value_or(configuration.engine), configuration, actual);
    const Ruleset desired = loaded.ruleset();
    const Plan steps = plan(desired, actual);
    for (const std::string& line : describe(steps, kernel.instance().table())) {
        out << line << '\n';
    }
    if (const auto reason = suspicion(steps, desired, actual, configuration.interface_pairs, file)) {
        spdlog::warn("{}", *reason);
    }
    for (const std::string& sentence : claims_any(steps) ? contested(desired, kernel.siblings())
                                                         : std::vector<std::string>()) {
        spdlog::warn("{}", sentence);
    }
    std::vector<std::string> of_routing = changes_of_delivery(loaded.configuration, kernel.vrf());
    if (!kernel.instance().is_named()) {
        const std::vector<std::string> of_fence = changes(fence(loaded.configuration, interfaces_there()), survey());
        of_routing.insert(of_routing.end(), of_fence.begin(), of_fence.end());
    }
    for (const std::string& line : of_routing) {
        out << line << '\n';
    }
    warn_of_losses(loaded);
    return !exit_code ? exit_done : steps.empty() && of_routing.empty() ? loaded.status() : exit_different;
}

int handover(Kernel& kernel, std::ostream& out) {
    const Change done = change(kernel, with_chains_ahead, Depth::elements);
    const auto chains = static_cast<std::uint64_t>(std::count_if(
        done.plan.begin(), done.plan.end(), [](const Step& step) { return std::holds_alternative<AddChain>(step); }));
    tell(out, chains == 0 ? std::string(nothing_to_change)
                          : fmt::format("{} asked first until the next sync", quantity(chains, "chain")), {});
    return exit_done;
}

int clear(Kernel& kernel, bool keep_closed, std::ostream& out) {
    const bool is_named = kernel.instance().is_named();
    const std::string opened = keep_closed || is_named ? std::string(nothing_to_change) : take_down(kernel.fence());
    const Change done = change(kernel, [](const Ruleset&) { return Ruleset{}; }, Depth::known);
    const std::string delivered = deliver_to_vrf(kernel, {});
    remember(kernel.interface_pairs(), {});
    keep_source(kernel.source(), std::nullopt);
    const std::string said = is_named ? std::string(nothing_to_change) : answer_for_nobody(kernel);
    tell(out, done,
         (said == nothing_to_change ? "" : "; neighbours: " + said) +
             (opened == nothing_to_change ? "" : "; fail-closed: " + opened) +
             (delivered == nothing_to_change ? "" : "; vrf: " + delivered));
    return exit_done;
}

}  // namespace statnat
