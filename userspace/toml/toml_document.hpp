// SPDX-License-Identifier: GPL-2.0-or-later
// A TOML text, parsed, in which a key may be set twice: TOML forbids it, and toml++ stops there. Lines that set a key
// again are set aside and kept, so that an address that comes twice is told like any other one, with both places.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <toml++/toml.h>

namespace statnat {

// A member of a table; what was set aside has other lines before it than its own source tells.
struct Item {
    const toml::key* key;
    const toml::node* node;
    unsigned lines_before = 0;
};

using Items = std::vector<Item>;

Items in_reading_order(const toml::table& table);

// "an integer", or a string in quotation marks.
std::string what_came(const toml::node& node);

// Of true and false; nothing: neither, for which there is a sentence.
std::optional<bool> switch_of(const toml::node& node);
std::string not_a_switch(std::string_view key, const toml::node& node);

struct TomlError {
    unsigned line;
    unsigned column;
    std::string sentence;
};

class TomlDocument {
public:
    TomlDocument() = default;
    explicit TomlDocument(std::string text);

    // Nothing where the text is no TOML.
    const std::optional<toml::table>& root() const { return root_; }

    // What is wrong with it as TOML, and keys that are set again in any table but `repeatable`.
    std::vector<TomlError> errors(std::string_view repeatable) const;

    // What stands in `table`, the root's `repeatable`, and what sets its keys again.
    Items with_repeated(const toml::table& table) const;

private:
    // A line that sets a key again, parsed alone.
    struct RepeatedLine {
        unsigned lines_before;
        toml::table table;
    };

    bool set_aside_repeated(std::string& text);

    std::optional<toml::table> root_;
    std::vector<RepeatedLine> repeated_;
    std::vector<TomlError> errors_;
};

}  // namespace statnat
