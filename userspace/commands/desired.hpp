// SPDX-License-Identifier: GPL-2.0-or-later
// The configuration that a command goes by: its file or, where that is broken and nothing else is there, what worked
// last.
#pragma once

#include "config/configuration.hpp"
#include "error.hpp"
#include "progress.hpp"
#include "ruleset/plan.hpp"
#include "ruleset/ruleset.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace statnat {

using Path = std::filesystem::path;

struct Desired {
    Configuration configuration;
    int status = exit_done;    // exit_last_good: it is not that of the file
    std::int64_t removed = 0;  // pairs of a source, on purpose and ever

    // Of a command that goes by it, and has `other` to say beside that.
    int status_beside(int other) const { return status == exit_done ? other : status; }
};

// With what the interfaces have that pairs follow, but without the pairs of a source. Throws InvalidConfiguration.
Configuration read_here(const Path& file);
// And with those, for which etcd is asked, or `ask` where there is one. Throws CannotGoOn, too.
Desired read_desired(const Path& file, Progress& progress, const AskSource& ask = {});

// The same, but what worked last where the file is broken, or has lost so many pairs that it seems to be. That is said
// as an error. Where the source does not answer, only if that is wanted.
enum class WithoutSource { throws, last_good };
Desired read_desired_or_last_good(const Path& file, Progress& progress, WithoutSource without,
                                  const AskSource& ask = {});

// Keeps a configuration of /etc/statnat as what worked last; that it cannot is a warning.
void keep_last_good(const Path& file, const Configuration& configuration);

// Why a sync would be refused, if it would: nobody takes that many pairs away without saying so. Those that wait for
// an interface are not lost, nor are as many as were taken out of a source on purpose.
std::optional<std::string> suspicion(const Plan& plan, const Ruleset& desired, const Ruleset& actual,
                                     const std::vector<InterfacePair>& interface_pairs, const Path& file,
                                     std::size_t meant = 0);

}  // namespace statnat
