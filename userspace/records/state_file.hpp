// SPDX-License-Identifier: GPL-2.0-or-later
// What the maps held at one generation of the kernel's ruleset, kept from run to run: a dump of n elements takes the
// kernel n² steps, half a minute for a million.
//
// The kernel counts its transactions. Whoever made the last one knows what it left, until somebody makes another: then
// the generation is a different one, and what is in the file says nothing any more.
#pragma once

#include "ruleset/ruleset.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace statnat {

class StateFile {
public:
    // What each map held.
    using Contents = std::map<std::pair<Family, std::string>, Elements, std::less<>>;

    // Without a file: nothing is kept.
    StateFile() = default;
    // A file in `directory`, which is made where it is missing. A cookie is one network namespace's for as long as the
    // machine runs (SO_NETNS_COOKIE); `boot` names that time.
    StateFile(const std::filesystem::path& directory, std::uint64_t cookie, std::string_view boot);

    // Nothing if the file does not speak of this generation, or is not one that we wrote.
    std::optional<Contents> recall(std::uint32_t generation) const;

    // It was wrong, whatever it says.
    void forget() const;

    // Where it cannot be written, the next run is slower and nothing else.
    void keep(std::uint32_t generation, const Ruleset& ruleset) const;

private:
    std::filesystem::path path_;  // empty: none
    std::string identity_;        // what the file begins with
};

}  // namespace statnat
