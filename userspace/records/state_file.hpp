// SPDX-License-Identifier: GPL-2.0-or-later
// What the maps held at one generation of the kernel's ruleset, kept from run to run: a dump of n elements takes the
// kernel n² steps, half a minute for a million.
//
// The kernel counts its transactions. Whoever made the last one knows what it left, until somebody makes another: then
// the generation is a different one, and what is in the file says nothing any more.
#pragma once

#include "records/run_file.hpp"
#include "ruleset/ruleset.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

namespace statnat {

class StateFile {
public:
    // What each map held.
    using Contents = std::map<std::pair<Family, std::string>, Elements, std::less<>>;

    // Without a file: nothing is kept.
    StateFile() = default;
    explicit StateFile(const RunDirectory& directory) : file_(directory, "netns") {}

    // Nothing if the file does not speak of this generation, or is not one that we wrote.
    std::optional<Contents> recall(std::uint32_t generation) const;

    // It was wrong, whatever it says.
    void forget() const { file_.remove(); }

    // Where it cannot be written, the next run is slower and nothing else.
    void keep(std::uint32_t generation, const Ruleset& ruleset) const;

private:
    RunFile file_;
};

}  // namespace statnat
