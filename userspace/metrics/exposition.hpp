// SPDX-License-Identifier: GPL-2.0-or-later
// What the kernel has and does with pairs, in the text format of Prometheus, which node_exporter reads from files, too.
#pragma once

#include "reports/statistics.hpp"
#include "reports/status_text.hpp"
#include "ruleset/inventory.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace statnat {

struct Metrics {
    std::string instance{};  // empty: the one without a name
    Inventory found{};
    std::optional<std::vector<CountedPair>> pairs{};  // with their traffic, where that was asked for
    std::vector<FamilyStatistics> statistics{};
    bool per_pair = false;                            // a line for each of them
    std::vector<std::string> ailments{};              // what status --health would say
    bool degraded = false;
    std::optional<std::int64_t> synced_at{};          // in seconds since 1970
    std::uint64_t restores = 0;                       // since boot
    std::string digest{};                             // of all pairs
    std::optional<FromSource> source{};               // nothing: all pairs come from files
};

std::string exposition(const Metrics& metrics);

}  // namespace statnat
