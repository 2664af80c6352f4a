// SPDX-License-Identifier: GPL-2.0-or-later
// What has become of packets, as the kernel's counters have it; pure functions, no I/O.
#pragma once

#include "ruleset/ruleset.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace statnat {

// What is told of packets, in order. Those of Reason are told under the same names.
struct Statistic {
    enum class Of : std::uint8_t { outbound, inbound, dropped, reason };
    Of of;
    Reason reason;          // of Of::reason only
    std::string_view name;  // a word for programs
    std::string_view title;
    std::string_view sentence;
};

inline constexpr std::size_t statistic_count = 16;
extern const std::array<Statistic, statistic_count> all_statistics;

// Nothing: nobody counts these, and why not is a sentence.
struct Told {
    std::optional<std::uint64_t> packets{};
    std::string_view why_not{};
};

struct FamilyStatistics {
    Family family;
    std::array<Told, statistic_count> told{};  // in the order of all_statistics
};

// Of each table. Counters of pairs are those that were read with it.
std::vector<FamilyStatistics> statistics(const Ruleset& ruleset);

}  // namespace statnat
