// SPDX-License-Identifier: GPL-2.0-or-later
// One TOML file of a configuration: its settings, the files of pairs that it names, and its own pairs.
#pragma once

#include "config/configuration.hpp"
#include "config/draft.hpp"
#include "config/toml_document.hpp"

#include <optional>
#include <string_view>

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
    void read_gateway(const toml::table& gateway);
    void read_engine(const toml::node& node);
    void read_counters(const toml::node& node);
    void read_npt_of_gateway(const toml::node& node);
    void read_exempt_destinations(const toml::node& node);
    void read_external_interfaces(const toml::node& node);
    void refuse_many_beside_interfaces(Position at);
    void read_ruleset_file(const toml::node& node);
    void read_neighbours(const toml::node& node);
    void read_fail_closed(const toml::node& node);
    void keep_to_one_instance(std::string_view key, bool wanted, Position at);
    void read_mark(const toml::node& node);
    void read_vrf(const toml::node& node);
    void read_conntrack(const toml::node& node);
    void find_pairs_files(const toml::node& node);
    template <class Value, std::size_t count>
    void take_word(Value& value, const Words<Value, count>& words, const toml::node& node, std::string_view key);
    std::optional<bool> read_switch(std::string_view key, const toml::node& node);
    void read_pair(const toml::key& key, const toml::node& node);
    void read_pair_table(const toml::table& table, Entry& entry);

    unsigned number_;
    Draft& draft_;
    std::optional<TomlDocument> document_;  // nothing as long as the file could not be read
    unsigned lines_before_ = 0;             // what is parsed alone, and read now
};

}  // namespace statnat
