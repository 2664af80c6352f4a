// SPDX-License-Identifier: GPL-2.0-or-later
// Which packets come into the chains of a ruleset, of whichever kind: all, or why not all.
#pragma once

#include "importers/finding.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace statnat {

// From a rule of one chain into another.
struct Jump {
    Place at;
    std::string from;
    bool for_some = false;  // packets alone, by more than their interfaces
    std::vector<std::string> interfaces{};
};

// Chains are named by what they are in and their name, with blanks between: the last word is what is said of them.
class Jumps {
public:
    // Packets come into it by themselves; `is_local`: only those that this machine sends or gets.
    void add_base(const std::string& chain, bool is_local) { bases_.emplace(chain, is_local); }
    void add(const std::string& to, Jump jump) { to_[to].push_back(std::move(jump)); }

    // Why not all packets that are forwarded come into a chain; asked once of each, however many jumps there are.
    std::optional<std::string> why_not_reached(const std::string& chain, unsigned depth = 0);

    // What the jumps on the way to a chain are bound to.
    void note_interfaces(const std::string& chain, Reading& reading, unsigned depth = 0);

private:
    std::map<std::string, bool> bases_;
    std::map<std::string, std::vector<Jump>> to_;
    std::map<std::string, std::optional<std::string>> why_not_;
    std::set<std::string> noted_;
};

}  // namespace statnat
