// SPDX-License-Identifier: GPL-2.0-or-later
// A chain as nft(8) would list it if it knew our statement.
#pragma once

#include <optional>
#include <string>

namespace statnat {

// With the handles of its rules, without what counters have seen, and without elements. Nothing where it is gone, or
// cannot be listed.
std::optional<std::string> list_chain(const std::string& family, const std::string& table, const std::string& chain);

}  // namespace statnat
