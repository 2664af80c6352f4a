// SPDX-License-Identifier: GPL-2.0-or-later
// A text line by line and word by word, for formats that are made of lines.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace statnat {

using Words = std::vector<std::string>;

template <class List>
bool has(const List& list, std::string_view word) {
    return std::find(list.begin(), list.end(), word) != list.end();
}

// Calls `visit` with each line, counted from 1 on, without its end. Throws NotOfThisFormat at a NUL, which no text has.
void for_each_line(std::string_view text, const std::function<void(unsigned number, std::string_view line)>& visit);

// The same, but lines that end in a backslash and the one behind them are one, of the first one's number.
void for_each_joined_line(std::string_view text,
                          const std::function<void(unsigned number, std::string_view line)>& visit);

std::string_view trimmed(std::string_view text);

// What stands between blanks.
std::vector<std::string_view> split_words(std::string_view line);

// The same, but as a shell has it: what is in quotation marks is one word, or part of one, without them.
Words split_quoted_words(std::string_view line);

// The words from `first` on, in one text.
std::string joined_words(const Words& words, std::size_t first);

bool begins_with(const Words& words, std::initializer_list<std::string_view> beginning);

// Empty where there is none.
std::string word_at(const Words& words, std::size_t index);

// That the words from `first` on say what no pair can do.
std::string condition(const Words& words, std::size_t first);

// That the statement translates IPv6 to IPv4 or back.
std::string between_families(std::string_view statement);

}  // namespace statnat
