// SPDX-License-Identifier: GPL-2.0-or-later
// Colours for people: what lines of reports begin with says which.
#pragma once

#include <string>
#include <string_view>

namespace statnat {

// Whether who reads there sees colours, and wants them (no-color.org).
bool wants_colours(int descriptor);

// With sequences for a terminal around what has a colour.
std::string painted(std::string_view text);

}  // namespace statnat
