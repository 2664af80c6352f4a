// SPDX-License-Identifier: GPL-2.0-or-later
#include "toml/toml_document.hpp"

#include "toml/toml_text.hpp"
#include "printable.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include <fmt/format.h>

namespace statnat {
namespace {

void sort_by_place(Items& items) {
    std::sort(items.begin(), items.end(), [](const Item& a, const Item& b) {
        const auto place = [](const Item& item) {
            const toml::source_position& begin = item.key->source().begin;
            return std::tuple(begin.line + item.lines_before, begin.column);
        };
        return place(a) < place(b);
    });
}

// Where a text begins to be no TOML; nothing if it is.
std::optional<toml::source_position> first_error(std::string_view text) {
    try {
        (void)toml::parse(text);
        return std::nullopt;
    } catch (const toml::parse_error& failure) {
        return failure.source().begin;
    }
}

std::size_t line_begin(std::string_view text, unsigned number) {
    std::size_t begin = 0;
    for (unsigned line = 1; line < number; ++line) {
        begin = std::min(text.find('\n', begin), text.size() - 1) + 1;
    }
    return begin;
}

// Whether a value stands there that is right, behind its key.
bool is_right_value(std::string_view text, std::size_t begin) {
    const std::size_t before = text.find_last_not_of(" \t", begin - 1);
    if (begin == 0 || before == std::string_view::npos || text[before] != '=') {
        return false;
    }
    const std::string key = "_ = ";
    const auto error = first_error(key + std::string(text.substr(begin)));
    return !error || error->line != 1 || error->column != key.size() + 1;
}

// Whether toml++, which tells only in words, stopped at a key or table that is set already. At the value of a key it
// has no other reason where the value is right; nor at any other line that is right alone, if all before it is.
bool sets_again(std::string_view text, const toml::source_position& at) {
    const std::size_t line = line_begin(text, at.line);
    if (is_right_value(text, line + at.column - 1)) {
        return true;
    }
    const auto alone = first_error(text.substr(line));
    return !first_error(text.substr(0, line)) && !(alone && alone->line == 1 && alone->column == at.column);
}

}  // namespace

std::string what_came(const toml::node& node) {
    switch (node.type()) {
    case toml::node_type::string:
        return in_quotes(node.ref<std::string>());
    case toml::node_type::integer:
        return "an integer";
    case toml::node_type::floating_point:
        return "a floating-point number";
    case toml::node_type::boolean:
        return "a boolean";
    case toml::node_type::array:
        return "an array";
    case toml::node_type::table:
        return "a table";
    default:
        return "a date or time";
    }
}

std::optional<bool> switch_of(const toml::node& node) {
    return node.is_boolean() ? node.value<bool>() : std::nullopt;
}

std::string not_a_switch(std::string_view key, const toml::node& node) {
    return fmt::format("{} is {}: legal are true and false", key, what_came(node));
}

Items in_reading_order(const toml::table& table) {
    Items items;
    for (const auto& [key, node] : table) {
        items.push_back({&key, &node});
    }
    sort_by_place(items);
    return items;
}

TomlDocument::TomlDocument(std::string text) {
    if (const auto deep = find_deep_key(text)) {
        errors_.push_back(
            {deep->line, deep->column, "a key of too many parts: legal are the tables gateway, source and pairs"});
        return;
    }
    for (bool again = true; again;) {
        try {
            root_ = toml::parse(std::string_view(text));
            return;
        } catch (const toml::parse_error& failure) {
            const toml::source_position& at = failure.source().begin;
            const bool repeated = sets_again(text, at);
            again = repeated && repeated_.empty() && set_aside_repeated(text);
            if (!again) {
                errors_.push_back({at.line, at.column,
                                   repeated ? "this key or table is set already" : std::string(failure.description())});
            }
        }
    }
}

// False: there are none that stand alone.
bool TomlDocument::set_aside_repeated(std::string& text) {
    for (const TextLine& line : take_repeated_lines(text)) {
        try {
            repeated_.push_back({line.number - 1, toml::parse(line.text)});
        } catch (const toml::parse_error& failure) {
            errors_.push_back({line.number, failure.source().begin.column, std::string(failure.description())});
        }
    }
    return !repeated_.empty();
}

std::vector<TomlError> TomlDocument::errors(std::string_view repeatable) const {
    std::vector<TomlError> all = errors_;
    const toml::table* table = root_ ? (*root_)[repeatable].as_table() : nullptr;
    for (const RepeatedLine& line : repeated_) {
        for (const auto& [key, node] : line.table) {
            if (!table || !table->contains(key)) {
                all.push_back({line.lines_before + 1, key.source().begin.column,
                               fmt::format("the key {} is set already", in_quotes(key))});
            }
        }
    }
    return all;
}

Items TomlDocument::with_repeated(const toml::table& table) const {
    Items items = in_reading_order(table);
    for (const RepeatedLine& line : repeated_) {
        for (const auto& [key, node] : line.table) {
            if (table.contains(key)) {
                items.push_back({&key, &node, line.lines_before});
            }
        }
    }
    sort_by_place(items);
    return items;
}

}  // namespace statnat
