// SPDX-License-Identifier: GPL-2.0-or-later
// What to know about a TOML text before and after the parser has seen it: toml++ goes as deep as its stack does, and
// stops at the first key that is set twice.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace statnat {

struct TextPlace {
    unsigned line = 1;
    unsigned column = 1;
};

// Where a dotted key begins that has more parts than anybody needs.
std::optional<TextPlace> find_deep_key(std::string_view text);

struct TextLine {
    unsigned number;
    std::string text;
};

// Makes each line blank that sets a key alone which its table has already, and returns these; one way through the text,
// however many there are.
std::vector<TextLine> take_repeated_lines(std::string& text);

}  // namespace statnat
