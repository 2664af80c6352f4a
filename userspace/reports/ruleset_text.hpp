// SPDX-License-Identifier: GPL-2.0-or-later
// A ruleset as a file that nft(8) loads; with our statement in its rules, `statnat-nft nft` alone does.
#pragma once

#include "ruleset/ruleset.hpp"

#include <string>
#include <string_view>

namespace statnat {

// In place of all tables of that name, whatever the kernel has of them.
std::string as_file(const Ruleset& ruleset, std::string_view table);

}  // namespace statnat
