// SPDX-License-Identifier: GPL-2.0-or-later
#include "toml/toml_text.hpp"

#include <algorithm>
#include <cctype>
#include <unordered_set>

namespace statnat {
namespace {

constexpr unsigned most_parts = 16;

// The size of what begins with these quotation marks, them included: a string, perhaps of several lines.
std::size_t string_size(std::string_view text) {
    const char mark = text.front();
    const std::string three(3, mark);
    const std::string_view end = std::string_view(three).substr(0, text.starts_with(three) ? 3 : 1);
    std::size_t at = end.size();
    while (at < text.size() && !text.substr(at).starts_with(end)) {
        if (text[at] == '\n' && end.size() == 1) {
            return at;  // never closed: the parser will tell
        }
        at += text[at] == '\\' && mark == '"' ? 2 : 1;
    }
    return std::min(at + end.size(), text.size());
}

bool is_of_bare_key(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-';
}

bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

// The key of a line "KEY = ...", without its quotation marks; nothing for what is not as simple.
std::optional<std::string_view> key_of(std::string_view line) {
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    if (line.empty()) {
        return std::nullopt;
    }
    const bool quoted = line.front() == '"' || line.front() == '\'';
    const std::size_t begin = quoted ? 1 : 0;
    const auto bare = std::find_if_not(line.begin(), line.end(), is_of_bare_key);
    const std::size_t end = quoted ? line.find(line.front(), 1) : static_cast<std::size_t>(bare - line.begin());
    if (end == std::string_view::npos || line.substr(0, end).find('\\') != std::string_view::npos) {
        return std::nullopt;
    }
    const std::size_t next = line.find_first_not_of(" \t", end + begin);
    return next != std::string_view::npos && line[next] == '=' ? std::optional(line.substr(begin, end - begin))
                                                               : std::nullopt;
}

}  // namespace

std::optional<TextPlace> find_deep_key(std::string_view text) {
    unsigned line = 1;
    std::size_t line_begin = 0;
    std::size_t key_begin = 0;
    unsigned dots = 0;
    for (std::size_t at = 0; at < text.size();) {
        const char c = text[at];
        std::size_t size = 1;
        if (c == '#') {
            size = std::min(text.find('\n', at), text.size()) - at;
        } else if (c == '"' || c == '\'') {
            size = string_size(text.substr(at));
        } else if (c == '.' && ++dots == most_parts) {
            return TextPlace{line, static_cast<unsigned>(key_begin - line_begin) + 1};
        }
        if (c != '.' && !is_of_bare_key(c) && !is_blank(c) && c != '"' && c != '\'') {
            dots = 0;
            key_begin = at + 1;
        }
        const std::string_view passed = text.substr(at, size);
        if (const std::size_t end = passed.rfind('\n'); end != std::string_view::npos) {
            line += static_cast<unsigned>(std::count(passed.begin(), passed.end(), '\n'));
            line_begin = at + end + 1;
            key_begin = line_begin;
            dots = 0;
        }
        at += size;
    }
    return std::nullopt;
}

std::vector<TextLine> take_repeated_lines(std::string& text) {
    std::vector<TextLine> repeated;
    std::unordered_set<std::string> known;  // of the table at hand
    std::string rest;
    unsigned number = 1;
    for (std::string_view lines = text; !lines.empty(); ++number) {
        const std::string_view line = lines.substr(0, lines.find('\n'));
        lines.remove_prefix(std::min(line.size() + 1, lines.size()));
        const std::size_t begin = line.find_first_not_of(" \t");
        if (begin != std::string_view::npos && line[begin] == '[') {
            known.clear();
        }
        const auto key = key_of(line);
        if (key && !known.emplace(*key).second) {
            repeated.push_back({number, std::string(line)});
        } else {
            rest += line;
        }
        rest += '\n';
    }
    text = std::move(rest);
    return repeated;
}

}  // namespace statnat
