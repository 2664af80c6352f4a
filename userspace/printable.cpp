// SPDX-License-Identifier: GPL-2.0-or-later
#include "printable.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

#include <fmt/format.h>

namespace statnat {
namespace {

// Calls visit(bytes, point) for each code point, or with nothing for a byte that is part of none.
template <typename Visit>
void for_each_point(std::string_view text, Visit visit) {
    while (!text.empty()) {
        std::string_view rest = text;
        const auto point = take_code_point(rest);
        const std::size_t size = point ? text.size() - rest.size() : 1;
        visit(text.substr(0, size), point);
        text.remove_prefix(size);
    }
}

}  // namespace

std::optional<char32_t> take_code_point(std::string_view& text) {
    const auto first = static_cast<unsigned char>(text.front());
    const std::size_t size = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (size == 0 || text.size() < size) {
        return std::nullopt;
    }
    constexpr std::array<char32_t, 5> smallest{0, 0, 0x80, 0x800, 0x10000};
    char32_t point = size == 1 ? first : first & (0x7fU >> size);
    for (std::size_t i = 1; i < size; ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        if ((byte & 0xc0) != 0x80) {
            return std::nullopt;
        }
        point = point << 6 | (byte & 0x3f);
    }
    const bool surrogate = point >= 0xd800 && point < 0xe000;
    if (point < smallest[size] || point > 0x10ffff || surrogate) {
        return std::nullopt;
    }
    text.remove_prefix(size);
    return point;
}

bool is_control(char32_t point) {
    const bool turns_order = (point >= 0x202a && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069);
    const bool ends_line = point == 0x2028 || point == 0x2029;
    return point < 0x20 || (point >= 0x7f && point < 0xa0) || turns_order || ends_line;
}

std::string printable(std::string_view text, std::string_view kept) {
    std::string result;
    for_each_point(text, [&](std::string_view bytes, std::optional<char32_t> point) {
        if ((point && !is_control(*point)) || kept.find(bytes) != std::string_view::npos) {
            result += bytes;
            return;
        }
        for (const char byte : bytes) {
            result += fmt::format("\\x{:02x}", static_cast<unsigned char>(byte));
        }
    });
    return result;
}

std::string in_quotes(std::string_view text) {
    constexpr std::size_t longest = 60;
    std::string result = "\"";
    for (const char c : text.substr(0, longest)) {
        const auto byte = static_cast<unsigned char>(c);
        result += byte < 0x20 || byte >= 0x7f ? fmt::format("\\x{:02x}", byte) : std::string(1, c);
    }
    return result + (text.size() > longest ? "...\"" : "\"");
}

std::string legible(std::string_view word) {
    const auto is_plain = [](char character) { return character >= ' ' && character <= '~'; };
    return std::all_of(word.begin(), word.end(), is_plain) ? std::string(word) : in_quotes(word);
}

std::string quoted_json(std::string_view text) {
    std::string quoted = "\"";
    for_each_point(text, [&](std::string_view bytes, std::optional<char32_t> point) {
        if (!point) {
            quoted += "\xef\xbf\xbd";
        } else if (is_control(*point)) {
            quoted += fmt::format("\\u{:04x}", static_cast<unsigned>(*point));
        } else {
            quoted += bytes == "\"" || bytes == "\\" ? "\\" : "";
            quoted += bytes;
        }
    });
    return quoted + "\"";
}

}  // namespace statnat
