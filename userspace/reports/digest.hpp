// SPDX-License-Identifier: GPL-2.0-or-later
// A word that is the same wherever pairs are, and that anybody can recompute:
//
//     statnat-nft list --csv | awk -F, 'NR > 1 { print $1 "," $2 "," $NF }' | LC_ALL=C sort | sha256sum
#pragma once

#include "pairs/pairs.hpp"

#include <string>
#include <string_view>

namespace statnat {

// SHA-256 (FIPS 180-4) in hexadecimal digits.
std::string sha256(std::string_view bytes);

// Of pairs without their comments.
std::string digest(const Pairs& pairs);

}  // namespace statnat
