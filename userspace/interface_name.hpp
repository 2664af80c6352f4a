// SPDX-License-Identifier: GPL-2.0-or-later
// The name of an interface, or the beginning of one with an asterisk behind it, as nft has them; they need not exist.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace statnat {

// What is wrong with it; nothing if nothing is.
std::optional<std::string> objection_to_interface(std::string_view name);

// Whether all interfaces that `name` stands for are among those of `pattern`.
bool interface_covers(std::string_view pattern, std::string_view name);

}  // namespace statnat
