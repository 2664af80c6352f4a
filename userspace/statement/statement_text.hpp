// SPDX-License-Identifier: GPL-2.0-or-later
// Our statement as nft(8) would have it written; its inverse is text() of ruleset.hpp.
#pragma once

#include "ruleset/ruleset.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace statnat {

inline constexpr std::string_view statement_keyword = "snat_stateless";

// What does not belong there, as a part of the text.
struct Misfit {
    std::size_t begin = 0;
    std::size_t end = 0;
    std::string sentence;
};

struct StatementReading {
    std::variant<SnatStateless, Misfit> result;
    std::size_t end = 0;  // of the statement
};

// Reads `text`, which begins with the keyword and goes on with whatever follows the statement. Nothing where the
// keyword is but a name, such as that of a chain.
std::optional<StatementReading> read_statement(std::string_view text);

}  // namespace statnat
