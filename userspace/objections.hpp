// SPDX-License-Identifier: GPL-2.0-or-later
// What can be wrong with a pair, alone or beside others, in sentences that the file and `add` share.
#pragma once

#include "values.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace statnat {

enum class Part : std::uint8_t { internal, external, comment };

struct Objection {
    Part part;
    std::string sentence;
};

// What is wrong with a pair alone; a side that is missing has been objected to already.
std::vector<Objection> objections(const std::optional<Address>& internal, const std::optional<Address>& external,
                                  std::string_view comment);

// `address` is wanted as one side of a pair, but stands already on side `taken_as` of another, with `partner` on its
// other side; `place` tells where, as in " (FILE:LINE)".
std::string conflict(const Address& address, Part wanted_as, Part taken_as, const std::optional<Address>& partner,
                     std::string_view place);

// The sentence for a text that stands where one side of a pair should, and is no address.
std::string not_an_address(std::string_view text);

// What a pair alone, or beside the others, breaks; `add` asks the same questions as the file does.
std::optional<std::string> why_not(const Pair& pair, const std::vector<Pair>& others);

// A text as it came, fit for a terminal and of bounded length.
std::string in_quotes(std::string_view text);

}  // namespace statnat
