// SPDX-License-Identifier: GPL-2.0-or-later
#include "importers/lines.hpp"

#include "importers/finding.hpp"
#include "printable.hpp"

#include <algorithm>

#include <boost/program_options/parsers.hpp>
#include <boost/token_functions.hpp>
#include <fmt/format.h>

namespace statnat {
namespace {

constexpr std::string_view blanks = " \t\r\v\f";

}  // namespace

void for_each_line(std::string_view text, const std::function<void(unsigned number, std::string_view line)>& visit) {
    constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
    if (text.starts_with(byte_order_mark)) {
        text.remove_prefix(byte_order_mark.size());
    }
    for (unsigned number = 1; !text.empty(); ++number) {
        std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        if (line.find('\0') != std::string_view::npos) {
            throw NotOfThisFormat{number, "a NUL byte, which no text has: legal is text"};
        }
        if (line.ends_with('\r')) {
            line.remove_suffix(1);
        }
        visit(number, line);
    }
}

void for_each_joined_line(std::string_view text,
                          const std::function<void(unsigned number, std::string_view line)>& visit) {
    std::string whole;
    unsigned first = 0;
    for_each_line(text, [&](unsigned number, std::string_view line) {
        first = whole.empty() ? number : first;
        whole += line;
        if (whole.ends_with('\\')) {
            whole.back() = ' ';
            return;
        }
        visit(first, whole);
        whole.clear();
    });
    if (!whole.empty()) {
        visit(first, whole);
    }
}

std::string_view trimmed(std::string_view text) {
    const std::size_t first = text.find_first_not_of(blanks);
    return first == std::string_view::npos ? std::string_view()
                                           : text.substr(first, text.find_last_not_of(blanks) + 1 - first);
}

std::vector<std::string_view> split_words(std::string_view line) {
    std::vector<std::string_view> words;
    for (line = trimmed(line); !line.empty(); line = trimmed(line)) {
        words.push_back(line.substr(0, line.find_first_of(blanks)));
        line.remove_prefix(words.back().size());
    }
    return words;
}

Words split_quoted_words(std::string_view line) {
    try {
        return boost::program_options::split_unix(std::string(line), std::string(blanks));
    } catch (const boost::escaped_list_error&) {  // a backslash where shells take one and this does not
        const auto words = split_words(line);
        return {words.begin(), words.end()};
    }
}

std::string joined_words(const Words& words, std::size_t first) {
    std::string text;
    for (std::size_t i = first; i < words.size(); ++i) {
        text += (text.empty() ? "" : " ") + words[i];
    }
    return text;
}

bool begins_with(const Words& words, std::initializer_list<std::string_view> beginning) {
    return words.size() >= beginning.size() && std::equal(beginning.begin(), beginning.end(), words.begin());
}

std::string word_at(const Words& words, std::size_t index) {
    return index < words.size() ? words[index] : "";
}

std::string condition(const Words& words, std::size_t first) {
    return fmt::format("has {}, which no pair has", in_quotes(joined_words(words, first)));
}

std::string between_families(std::string_view statement) {
    return fmt::format("{} is between IPv6 and IPv4: a pair is of one family", in_quotes(statement));
}

}  // namespace statnat
