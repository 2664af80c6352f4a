// SPDX-License-Identifier: GPL-2.0-or-later
// A file in /run that speaks of one network namespace, until the machine boots again. Without it everything works, and
// is slower or knows less.
#pragma once

#include "files.hpp"

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace statnat {

// Where such files are, and of what: a cookie is one network namespace's for as long as the machine runs
// (SO_NETNS_COOKIE); `boot` names that time.
struct RunDirectory {
    std::filesystem::path path;  // made where it is missing
    std::uint64_t cookie = 0;
    std::string boot;
    std::string instance{};  // empty: the one without a name
};

class RunFile {
public:
    // Without a file: nothing is kept.
    RunFile() = default;
    RunFile(const RunDirectory& directory, std::string kind);

    // Behind the first line, which must say of which generation of the ruleset the rest is.
    struct Opened {
        std::uint32_t generation = 0;
        std::ifstream rest;
    };

    // Nothing if there is none, or it is not one that we wrote, of this namespace and since this boot.
    std::optional<Opened> open() const;

    // Replaces it as a whole or not at all.
    void write(std::uint32_t generation, const std::function<void(Replacement&)>& write_rest) const;

    void remove() const;

    // In seconds since 1970; nothing where open() gives nothing.
    std::optional<std::int64_t> written_at() const;

    const std::filesystem::path& path() const { return path_; }

private:
    void tidy() const;

    std::filesystem::path path_;  // empty: none
    std::string kind_;
    std::string identity_;  // what the file begins with
};

}  // namespace statnat
