// SPDX-License-Identifier: GPL-2.0-or-later
// One TOML file of a configuration: its settings, and its pairs.
#pragma once

#include "config/configuration.hpp"
#include "config/draft.hpp"
#include "toml/toml_document.hpp"

#include <optional>
#include <string_view>
#include <vector>

namespace statnat {

class TomlFile {
public:
    // The draft has it under this number, and what is read goes there.
    TomlFile(unsigned number, Draft& draft) : number_(number), draft_(draft) {}

    // Both can be called again. The settings of all files come before any pairs, which do as they say.
    void read_settings();
    void read_pairs();

private:
    Position place(const toml::source_region& region) const {
        return {number_, region.begin.line + lines_before_, region.begin.column};
    }
    void read_root(const toml::table& root);
    void read_pair(const toml::key& key, const toml::node& node);
    // Behind the first external, there may be further ones of the same host.
    void read_external(const toml::node& node, Entry& entry, std::vector<Entry>& further);
    void read_pair_table(const toml::table& table, Entry& entry, std::vector<Entry>& further);

    unsigned number_;
    Draft& draft_;
    std::optional<TomlDocument> document_;  // nothing as long as the file could not be read
    unsigned lines_before_ = 0;             // what is parsed alone, and read now
};

}  // namespace statnat
