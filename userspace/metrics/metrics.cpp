// SPDX-License-Identifier: GPL-2.0-or-later
#include "metrics/metrics.hpp"

#include "commands/show.hpp"
#include "error.hpp"
#include "files.hpp"
#include "metrics/exposition.hpp"
#include "records/source_record.hpp"
#include "reports/digest.hpp"

#include <chrono>
#include <system_error>
#include <utility>

namespace statnat {
namespace {

namespace fs = std::filesystem;

// Who collects such files is somebody else.
void put(const fs::path& path, std::string_view text) {
    std::error_code ignored;
    const bool is_new = !fs::exists(path, ignored);
    put_text(path, text);
    if (is_new) {
        fs::permissions(path, fs::perms::group_read | fs::perms::others_read, fs::perm_options::add, ignored);
    }
}

Metrics measure(Kernel& kernel, const fs::path& file, const MetricsOptions& options) {
    const bool dump = options.traffic || options.per_pair;
    const Ruleset ruleset = kernel.read(dump ? Depth::traffic : Depth::elements).ruleset;
    Metrics metrics{.instance = kernel.instance().name(),
                    .found = inventory(ruleset),
                    .statistics = statistics(ruleset),
                    .per_pair = options.per_pair,
                    .ailments = ailments(kernel, file)};
    if (dump) {
        metrics.pairs = counted_pairs(ruleset);
    }
    metrics.digest = digest(metrics.found.pairs);
    if (const auto source = recall_source(kernel.source())) {
        metrics.source = {source->loaded, std::chrono::duration<double>(source->age()).count(), source->is_stale()};
    }
    metrics.synced_at = kernel.baseline().kept_at();
    metrics.restores = kernel.restores().count();
    const auto record = kernel.baseline().recall();
    metrics.degraded = record && !record->degraded.empty();
    return metrics;
}

}  // namespace

int metrics(Kernel& kernel, const fs::path& file, const MetricsOptions& options, std::ostream& out) {
    const std::string text = exposition(measure(kernel, file, options));
    if (options.output) {
        put(*options.output, text);
    } else {
        out << text;
    }
    return exit_done;
}

}  // namespace statnat
