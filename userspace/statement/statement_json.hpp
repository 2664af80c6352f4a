// SPDX-License-Identifier: GPL-2.0-or-later
// Our statement in the manner of libnftables-json(5):
//   {"snat_stateless": {"field": "saddr", "map": "@int2ext", "flags": "untracked"}}
// where "map" may be a list, a map of prefixes is {"name": "@int2ext_48", "prefix": 48, "npt": true}, several flags are
// a list, and what else is to be done is {"else": {"field": "saddr", "map": "@int2ext", "flags": "untrack"}}.
#pragma once

#include "ruleset/ruleset.hpp"

#include <string>
#include <string_view>
#include <variant>

namespace statnat {

// What belongs to the key "snat_stateless".
std::string statement_json(const SnatStateless& statement);

// The statement, or what is wrong with it.
std::variant<SnatStateless, std::string> read_statement_json(std::string_view text);

}  // namespace statnat
