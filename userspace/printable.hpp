// SPDX-License-Identifier: GPL-2.0-or-later
// Texts of others, such as comments that somebody else has put into the kernel, fit for a terminal and for JSON.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace statnat {

// The next code point of a UTF-8 text, or nothing where it is malformed.
std::optional<char32_t> take_code_point(std::string_view& text);

// What moves a cursor, colours, or turns the order of what is read.
bool is_control(char32_t point);

// The same, but control characters and what is not UTF-8 as \xNN for each byte; `kept` stays as it is.
std::string printable(std::string_view text, std::string_view kept = {});

// A text as it came, fit for a terminal and of bounded length.
std::string in_quotes(std::string_view text);

// A word of the user: in quotation marks where it has bytes that a terminal could obey.
std::string legible(std::string_view word);

// A JSON string; what is not UTF-8 becomes U+FFFD.
std::string quoted_json(std::string_view text);

// A JSON array of what `write` makes of each value.
template <class Values, class Write>
std::string list_in_json(const Values& values, Write write) {
    std::string array = "[";
    for (const auto& value : values) {
        array += (array.size() == 1 ? "" : ",") + write(value);
    }
    return array + "]";
}

}  // namespace statnat
