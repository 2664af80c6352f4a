// SPDX-License-Identifier: GPL-2.0-or-later
#include "statement/nft_words.hpp"

namespace statnat {

bool is_word_character(char character) {
    return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
           (character >= '0' && character <= '9') || character == '_' || character == '.' || character == '-' ||
           character == '/';
}

NftWord NftWords::peek(bool (*belongs)(char)) const {
    const std::size_t begin = after_blanks(at_);
    std::size_t end = begin;
    while (end < text_.size() && belongs(text_[end])) {
        ++end;
    }
    if (end == begin && begin < text_.size() && text_[begin] != '\n' && text_[begin] != '#') {
        const std::size_t quote = text_[begin] == '"' ? text_.find('"', begin + 1) : begin;
        end = quote == std::string_view::npos ? begin + 1 : quote + 1;
    }
    return {text_.substr(begin, end - begin), begin};
}

NftWord NftWords::take(bool (*belongs)(char)) {
    const NftWord word = peek(belongs);
    at_ = word.end();
    return word;
}

bool NftWords::take(std::string_view wanted) {
    const NftWord word = peek();
    if (word.text == wanted) {
        at_ = word.end();
    }
    return word.text == wanted;
}

// A backslash joins lines, as everywhere in nft.
std::size_t NftWords::after_blanks(std::size_t at) const {
    while (at < text_.size()) {
        if (text_[at] == ' ' || text_[at] == '\t') {
            ++at;
        } else if (text_.substr(at, 2) == "\\\n") {
            at += 2;
        } else {
            break;
        }
    }
    return at;
}

}  // namespace statnat
