// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/toml_file.hpp"

#include "config/gateway_table.hpp"
#include "config/source_table.hpp"
#include "files.hpp"
#include "printable.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace statnat {
namespace {

namespace fs = std::filesystem;

constexpr const char* legal_pair = R"(: legal is "198.51.100.2" or { external = "198.51.100.2", comment = "mail" })";

// Or several of them, of which the first is what a host answers by.
constexpr const char* legal_externals = R"(: legal is one such as "198.51.100.2", or ["198.51.100.2", "198.51.100.9"])";

}  // namespace

void TomlFile::read_settings() {
    draft_.read(number_, [&](const fs::path& path) {
        if (!document_) {
            document_.emplace(path == standard_input ? read_input(path) : read_file(path));
        }
    });
    if (!document_) {
        return;
    }
    for (TomlError& error : document_->errors("pairs")) {
        draft_.error({number_, error.line, error.column}, std::move(error.sentence));
    }
    if (document_->root()) {
        read_root(*document_->root());
    }
}

void TomlFile::read_root(const toml::table& root) {
    for (const auto& [key, node, before] : in_reading_order(root)) {
        const toml::table* table = node->as_table();
        if (*key != "gateway" && *key != "source" && *key != "pairs") {
            draft_.error(place(key->source()), fmt::format("unknown key {}: legal are the tables gateway, source and "
                                                           "pairs",
                                                           in_quotes(*key)));
        } else if (!table) {
            draft_.error(place(key->source()), fmt::format("{} is {}: legal is a table", key->str(), what_came(*node)));
        } else if (*key == "gateway") {
            GatewayTable(number_, draft_).read(*table);
        } else if (*key == "source") {
            SourceTable(number_, draft_).read(*table);
        }
    }
}

void TomlFile::read_pairs() {
    const auto* root = document_ && document_->root() ? &*document_->root() : nullptr;
    const toml::table* pairs = root ? (*root)["pairs"].as_table() : nullptr;
    if (!pairs) {
        return;
    }
    for (const auto& [key, node, before] : document_->with_repeated(*pairs)) {
        lines_before_ = before;
        read_pair(*key, *node);
    }
    lines_before_ = 0;
}

void TomlFile::read_pair(const toml::key& key, const toml::node& node) {
    const toml::table* table = node.as_table();
    const Position at = place(key.source());
    if (table && !table->is_inline() && !Prefix::enclosing(key)) {
        // 10.0.0.2 = "198.51.100.2" is TOML for tables inside tables.
        draft_.error(at, fmt::format(R"({} is not an address: legal is one in quotation marks, such as "10.0.0.2")",
                                     in_quotes(key)));
        return;
    }
    Entry entry;
    entry.internal_at = at;
    entry.external_at = place(node.source());
    entry.pair.internal = draft_.side(key, at);
    std::vector<Entry> further;
    if (table) {
        read_pair_table(*table, entry, further);
    } else if (node.is_string() || node.is_array()) {
        read_external(node, entry, further);
    } else {
        draft_.error(entry.external_at,
                     fmt::format("the external of {} is {}{}", in_quotes(key), what_came(node), legal_pair));
    }
    draft_.take(std::move(entry));
    for (Entry& one : further) {
        draft_.take(std::move(one));
    }
}

void TomlFile::read_external(const toml::node& node, Entry& entry, std::vector<Entry>& further) {
    const toml::array* several = node.as_array();
    if (!several) {
        draft_.read_external(*node.value<std::string_view>(), place(node.source()), entry);
        return;
    }
    if (several->empty()) {
        draft_.error(place(node.source()), std::string("an external side of nothing") + legal_externals);
    }
    for (const toml::node& one : *several) {
        Entry* read = &entry;
        if (&one != &several->front()) {
            read = &further.emplace_back();
            read->internal_at = entry.internal_at;
            read->pair.internal = entry.pair.internal;
            read->pair.inbound = true;
        }
        if (const auto text = one.value<std::string_view>()) {
            draft_.read_external(*text, place(one.source()), *read);
        } else {
            draft_.error(place(one.source()), fmt::format("an external side is {}{}", what_came(one), legal_externals));
        }
    }
}

void TomlFile::read_pair_table(const toml::table& table, Entry& entry, std::vector<Entry>& further) {
    if (!table.contains("external")) {
        draft_.error(entry.external_at, std::string("external is missing") + legal_pair);
    }
    for (const auto& [key, node, before] : in_reading_order(table)) {
        const auto text = node->value<std::string_view>();
        const Position at = place(node->source());
        if (*key == "npt") {
            entry.npt_at = at;
            entry.pair.npt = switch_of(*node);
            if (!entry.pair.npt) {
                draft_.error(at, not_a_switch("npt", *node));
            }
        } else if (*key != "external" && *key != "comment") {
            draft_.error(place(key->source()),
                         fmt::format("unknown key {}: legal are external, npt and comment", in_quotes(*key)));
        } else if (*key == "external" && (text || node->is_array())) {
            read_external(*node, entry, further);
        } else if (!text) {
            draft_.error(at, fmt::format("{} is {}: legal is a string", key->str(), what_came(*node)));
        } else {
            entry.comment_at = at;
            entry.pair.comment = *text;
        }
    }
}

}  // namespace statnat
