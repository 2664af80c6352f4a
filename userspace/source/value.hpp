// SPDX-License-Identifier: GPL-2.0-or-later
// The value of one key of a source: what an internal host or prefix is bound to.
//
//     198.51.100.2                                                  or JSON, as the table of a pair has it:
//     {"external": ["198.51.100.2", "198.51.100.9"], "comment": "mail"}
#pragma once

#include "config/configuration.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace statnat {

// Never fails: what is wrong with it is said in the pair.
SourcePair read_value(std::string_view value);

// Of pairs with one internal side, of which the first is what it answers by.
std::string value_of(const std::vector<Pair>& pairs);

}  // namespace statnat
