// SPDX-License-Identifier: GPL-2.0-or-later
// An explanation as text: for people, and as JSON for programs; pure functions.
#pragma once

#include "ruleset/explanation.hpp"

#include <string>
#include <string_view>

namespace statnat {

// By tables of that name.
std::string as_text(const Explanation& explanation, std::string_view table);
std::string as_json(const Explanation& explanation);

}  // namespace statnat
