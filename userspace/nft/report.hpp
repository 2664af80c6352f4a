// SPDX-License-Identifier: GPL-2.0-or-later
// What libnftables says against a text with stand-ins, said about the text that the user wrote.
#pragma once

#include "document.hpp"
#include "rewrite.hpp"

#include <deque>
#include <string>
#include <string_view>

namespace statnat {

// The name of what libnftables gets as a buffer, and about which it says no place.
inline constexpr std::string_view command_line_name = "<cmdline>";

// `reports` are whole. `documents` are all that libnftables has read; the last one of a name counts.
std::string in_terms_of_the_user(std::string_view reports, const std::deque<Document>& documents,
                                 const StandIns& stand_ins, const Rewriter& rewriter);

}  // namespace statnat
