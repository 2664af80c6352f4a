// SPDX-License-Identifier: GPL-2.0-or-later
// What `status` prints, for people and for programs.
#pragma once

#include "ruleset/inventory.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace statnat {

// Where pairs come from, and how old that is.
struct FromSource {
    std::int64_t revision = 0;
    double age = 0;  // in seconds
    bool stale = false;
    std::string endpoint{};
    std::string trouble{};  // why it is not heard, or what it has is not loaded; empty: nothing is wrong
};

struct Status {
    std::string table{};                 // the name of ours
    bool is_installed = false;           // they are there
    std::string no_module{};             // why there is none; empty: there is one
    Inventory found{};                   // where it is installed, as all below
    std::vector<std::string> damages{};  // what a repair would do
    std::vector<std::string> notes{};
    std::string digest{};                  // of all pairs
    std::optional<FromSource> source{};    // nothing: all pairs come from files
    bool drained = false;                  // routes are kept away
};

std::string_view name(Engine engine);

std::string as_text(const Status& status);
std::string as_json(const Status& status);

// What is wrong, if anything is; what `status --health` prints.
std::string as_text(const std::vector<std::string>& ailments);
std::string as_json(const std::vector<std::string>& ailments);

}  // namespace statnat
