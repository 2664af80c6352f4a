// SPDX-License-Identifier: GPL-2.0-or-later
// What the kernel is asked. A question is answered by one message and an acknowledgement, or by many and an end.
#pragma once

#include "ruleset/ruleset.hpp"
#include "wire/message.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace statnat {

Bytes ask_generation(std::uint32_t sequence);
Bytes ask_table(Family family, std::string_view table, std::uint32_t sequence);
Bytes ask_sets(Family family, std::string_view table, std::uint32_t sequence);
Bytes ask_elements(Family family, std::string_view table, std::string_view set, std::uint32_t sequence);
// One element, answered by a message and an acknowledgement, or by ENOENT.
Bytes ask_element(Family family, std::string_view table, std::string_view set, const Address& key,
                  std::uint32_t sequence);
// So many elements from one place on, one message for each in the order of their keys, and an acknowledgement.
Bytes ask_elements(Family family, std::string_view table, const Map& map, std::span<const std::size_t> elements,
                   std::uint32_t sequence);
Bytes ask_tables(Family family, std::uint32_t sequence);  // of everybody
Bytes ask_chains(Family family, std::uint32_t sequence);
Bytes ask_rules(Family family, std::string_view table, std::uint32_t sequence);
Bytes ask_chains_of_all(std::uint32_t sequence);
Bytes ask_flowtables(std::uint32_t sequence);  // of everybody

}  // namespace statnat
