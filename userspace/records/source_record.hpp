// SPDX-License-Identifier: GPL-2.0-or-later
// How it stands with the source of pairs: what is loaded of it, and when it was heard last.
#pragma once

#include "records/run_file.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace statnat {

// Of CLOCK_BOOTTIME, which nobody sets.
std::chrono::milliseconds since_boot();

struct SourceRecord {
    std::int64_t loaded = 0;               // the revision that the kernel has; 0: none is known
    std::int64_t removed = 0;              // how many pairs had been taken away on purpose by then
    std::chrono::milliseconds heard_at{};  // since boot
    std::chrono::seconds stale_after{};
    std::string endpoint{};
    std::string trouble{};  // why it is not heard now; empty: it is
    std::string refused{};  // why nothing newer is loaded; empty: there is nothing newer

    std::chrono::milliseconds age() const { return since_boot() - heard_at; }
    bool is_stale() const { return age() > stale_after; }
    // Why it is not as it should be, in sentences; none: it is.
    std::vector<std::string> ailments() const;
};

// Nothing where pairs come from no source.
std::optional<SourceRecord> recall_source(const RunFile& file);
// Without a record, none is kept.
void keep_source(const RunFile& file, const std::optional<SourceRecord>& record);

}  // namespace statnat
