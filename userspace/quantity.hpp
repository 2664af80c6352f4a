// SPDX-License-Identifier: GPL-2.0-or-later
// Numbers in sentences.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace statnat {

// 1234567 as "1,234,567".
std::string grouped(std::uint64_t number);

// "1 pair", "2 pairs".
std::string quantity(std::uint64_t number, std::string_view thing);

}  // namespace statnat
