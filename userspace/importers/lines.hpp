// SPDX-License-Identifier: GPL-2.0-or-later
// A text line by line and word by word, for formats that are made of lines.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace statnat {

// Calls `visit` with each line, counted from 1 on, without its end. Throws Unreadable at a NUL, which no text has.
void for_each_line(std::string_view text, const std::function<void(unsigned number, std::string_view line)>& visit);

std::string_view trimmed(std::string_view text);

// What stands between blanks.
std::vector<std::string_view> split_words(std::string_view line);

// The same, but as a shell has it: what is in quotation marks is one word, or part of one, without them.
std::vector<std::string> split_quoted_words(std::string_view line);

// The words from `first` on, in one text.
std::string joined_words(const std::vector<std::string>& words, std::size_t first);

}  // namespace statnat
