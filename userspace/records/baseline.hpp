// SPDX-License-Identifier: GPL-2.0-or-later
// What the tool left in the kernel last: enough to tell, without a dump, whether it is still there.
#pragma once

#include "records/run_file.hpp"
#include "ruleset/ruleset.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace statnat {

// An element that a map has as long as nobody flushes it.
struct Witness {
    Family family = Family::ipv4;
    std::string map;
    Address key;
    bool operator==(const Witness&) const = default;
};

// All but what the maps hold: things by name, such as "chain ip statnat prerouting", and what they are, in words that
// are the same for the same things.
using Outline = std::map<std::string, std::string>;

class Baseline {
public:
    struct Record {
        std::uint32_t generation = 0;  // of the ruleset, when it was left so
        std::string version{};         // of the tool
        std::string degraded{};        // in what way it is less than the configuration asks for; empty: in none
        Outline outline{};
        std::vector<Witness> witnesses{};
    };

    // Without a file: nothing is kept.
    Baseline() = default;
    explicit Baseline(const RunDirectory& directory) : file_(directory, "baseline") {}

    // Nothing where the tool has left nothing since boot, or has cleared it.
    std::optional<Record> recall() const;

    // When that was, in seconds since 1970; nothing where there is no such record.
    std::optional<std::int64_t> kept_at() const { return file_.written_at(); }

    // Goes on being degraded as it was.
    void keep(std::uint32_t generation, std::string_view table, const Ruleset& ruleset,
              const std::vector<Witness>& witnesses) const;
    void keep_degraded(std::string_view why) const;

private:
    void write(const Record& record) const;

    RunFile file_;
};

// The first element of each map.
std::vector<Witness> witnesses(const Ruleset& ruleset);

// Of tables of that name.
Outline outline(const Ruleset& ruleset, std::string_view table);

// What has changed since, in sentences; none: nothing that an outline shows.
std::vector<std::string> drift(const Baseline::Record& record, const Ruleset& actual, std::string_view table);

}  // namespace statnat
