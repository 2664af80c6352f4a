// SPDX-License-Identifier: GPL-2.0-or-later
// The words of a line of nft, one after the other.
#pragma once

#include <cstddef>
#include <string_view>

namespace statnat {

// May be inside a word of nft: a letter, a digit or one of /-_.
bool is_word_character(char character);

struct NftWord {
    std::string_view text;  // empty at the end of a line
    std::size_t begin = 0;
    std::size_t end() const { return begin + text.size(); }
};

class NftWords {
public:
    explicit NftWords(std::string_view text) : text_(text) {}

    // What is in quotes is one word, with its quotes; any character that belongs to none is one, too.
    NftWord peek(bool (*belongs)(char) = is_word_character) const;
    NftWord take(bool (*belongs)(char) = is_word_character);
    bool take(std::string_view wanted);

    std::size_t position() const { return at_; }

private:
    std::size_t after_blanks(std::size_t at) const;

    std::string_view text_;
    std::size_t at_ = 0;
};

}  // namespace statnat
