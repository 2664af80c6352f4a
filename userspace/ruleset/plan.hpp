// SPDX-License-Identifier: GPL-2.0-or-later
// The steps that turn what is actual into what is desired: pure functions, no I/O.
#pragma once

#include "ruleset/ruleset.hpp"

#include <cstddef>
#include <string>
#include <variant>
#include <vector>

namespace statnat {

// Steps in the order in which one batch must hold them.
struct AddTable { Family family; };
struct DeleteTable { Family family; std::vector<Map> maps = {}; };  // with what goes with it
struct AddMap { Family family; Map map; };                          // its elements are not part of the step
struct DeleteMap { Family family; Map map; };                       // with what goes with it
struct AddElements { Family family; Map map; };  // its elements with their traffic as the counters' start
struct DeleteElements { Family family; Map map; };  // its elements as they are now
struct AddPrefixSet { Family family; PrefixSet set; };  // with its prefixes
struct AddStandingMap { Family family; StandingMap map; };
struct DeleteSet { Family family; std::string name; };  // of prefixes, or a standing map
struct AddChain { Family family; Chain chain; };  // with its rules, their traffic as their counters' start
struct FlushChain { Family family; std::string name; };
struct AddRules { Family family; std::string chain; std::vector<Rule> rules; };
struct DeleteChain { Family family; std::string name; };

using Step = std::variant<AddTable, DeleteTable, AddMap, DeleteMap, AddElements, DeleteElements, AddPrefixSet,
                          AddStandingMap, DeleteSet, AddChain, FlushChain, AddRules, DeleteChain>;

using Plan = std::vector<Step>;  // empty: nothing to do

Plan plan(const Ruleset& desired, const Ruleset& actual);

// How many come and go.
std::size_t count_elements(const Plan& plan);

// Whether a rule of a table asks that map, or may: not of each rule that is somebody else's can be said what it asks.
bool asks(const Table& table, const std::string& map);

// Elements of a map, by their places in what is actual.
struct Selection {
    Family family;
    std::string map;
    std::vector<std::size_t> elements;
};

// Those that are made anew and whose counters are to go on, so that the plan must know where these stand.
std::vector<Selection> carried_over(const Plan& plan, const Ruleset& actual);

}  // namespace statnat
