// SPDX-License-Identifier: GPL-2.0-or-later
// Reads the TOML file and the files of pairs that it names, and judges all of it before it gives up. Where something is
// wrong, all of it is read once more, now with a note of where each pair stands.
#include "config/toml_file.hpp"

#include "config/draft.hpp"
#include "config/pairs_file.hpp"
#include "config/toml_document.hpp"
#include "files.hpp"
#include "pairs/objections.hpp"
#include "printable.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/format.h>

namespace statnat {
namespace {

namespace fs = std::filesystem;

constexpr const char* legal_pair =
    R"(: legal is "198.51.100.2" or { external = "198.51.100.2", comment = "mail" })";

class Reader {
public:
    explicit Reader(const fs::path& file) : draft_(file) {}

    Configuration read();

private:
    Position place(const toml::source_region& region) const {
        return {0, region.begin.line + lines_before_, region.begin.column};
    }
    void read_everything();
    void read_root(const toml::table& root);
    void read_gateway(const toml::table& gateway);
    void read_engine(const toml::node& node);
    void read_counters(const toml::node& node);
    void read_npt_of_gateway(const toml::node& node);
    void read_exempt_destinations(const toml::node& node);
    void read_ruleset_file(const toml::node& node);
    void find_pairs_files(const toml::node& node);
    template <class Value>
    void take_word(Value& value, const Words<Value>& words, const toml::node& node, std::string_view key);
    std::optional<bool> read_npt(const toml::node& node);
    void read_pairs(const toml::table& pairs);
    void read_pair(const toml::key& key, const toml::node& node);
    void read_pair_table(const toml::table& table, Entry& entry);

    Draft draft_;
    std::vector<PairsFile> pairs_files_;
    TomlDocument document_;
    unsigned lines_before_ = 0;  // what is parsed alone, and read now
};

Configuration Reader::read() {
    draft_.read(0, [&](const fs::path& path) { document_ = TomlDocument(read_file(path)); });
    read_everything();
    if (document_.root() && draft_.is_wrong()) {
        draft_.start_over(true);
        read_everything();
    }
    return draft_.finish();
}

void Reader::read_everything() {
    for (TomlError& error : document_.errors("pairs")) {
        draft_.error({0, error.line, error.column}, std::move(error.sentence));
    }
    if (!document_.root()) {
        return;
    }
    read_root(*document_.root());
    while (pairs_files_.size() + 1 < draft_.files()) {
        pairs_files_.emplace_back(pairs_files_.size() + 1);
    }
    for (PairsFile& file : pairs_files_) {
        file.read(draft_);
    }
    draft_.configuration.pairs.sort();
}

void Reader::read_root(const toml::table& root) {
    const toml::table* gateway = nullptr;
    const toml::table* pairs = nullptr;
    for (const auto& [key, node, before] : in_reading_order(root)) {
        const toml::table* table = node->as_table();
        if (*key != "gateway" && *key != "pairs") {
            draft_.error(place(key->source()),
                         fmt::format("unknown key {}: legal are the tables gateway and pairs", in_quotes(*key)));
        } else if (!table) {
            draft_.error(place(key->source()), fmt::format("{} is {}: legal is a table", key->str(), what_came(*node)));
        } else {
            (*key == "gateway" ? gateway : pairs) = table;
        }
    }
    // It may stand below the pairs, which do as it says.
    if (gateway) {
        read_gateway(*gateway);
    }
    if (pairs) {
        read_pairs(*pairs);
    }
}

void Reader::read_gateway(const toml::table& gateway) {
    static constexpr std::array<std::pair<std::string_view, void (Reader::*)(const toml::node&)>, 6> settings{{
        {"engine", &Reader::read_engine},
        {"counters", &Reader::read_counters},
        {"exempt-destinations", &Reader::read_exempt_destinations},
        {"pairs-files", &Reader::find_pairs_files},
        {"npt", &Reader::read_npt_of_gateway},
        {"ruleset-file", &Reader::read_ruleset_file},
    }};
    for (const auto& [key, node, before] : in_reading_order(gateway)) {
        const auto setting = std::find_if(settings.begin(), settings.end(),
                                          [&, known = key](const auto& one) { return *known == one.first; });
        if (setting == settings.end()) {
            draft_.error(place(key->source()),
                         fmt::format("unknown key {}: legal are engine, counters, exempt-destinations, pairs-files, "
                                     "npt and ruleset-file",
                                     in_quotes(*key)));
        } else {
            (this->*setting->second)(*node);
        }
    }
}

void Reader::read_npt_of_gateway(const toml::node& node) {
    draft_.npt = read_npt(node).value_or(false);
}

void Reader::read_engine(const toml::node& node) {
    take_word(draft_.configuration.engine, engine_words, node, "engine");
}

void Reader::read_counters(const toml::node& node) {
    take_word(draft_.configuration.counters, counters_words, node, "counters");
}

template <class Value>
void Reader::take_word(Value& value, const Words<Value>& words, const toml::node& node, std::string_view key) {
    const auto text = node.value<std::string_view>();
    const auto word = std::find_if(words.begin(), words.end(), [&](const auto& one) { return one.first == text; });
    if (word != words.end()) {
        value = word->second;
    } else {
        draft_.error(place(node.source()),
                     fmt::format(R"({} is {}: legal are "{}", "{}" and "{}")", key, what_came(node), words[0].first,
                                 words[1].first, words[2].first));
    }
}

void Reader::read_exempt_destinations(const toml::node& node) {
    const std::string legal = ": legal is an array of prefixes such as [\"10.0.0.0/8\", \"fd00::/8\"]";
    if (!node.is_array()) {
        draft_.error(place(node.source()), "exempt-destinations is " + what_came(node) + legal);
        return;
    }
    for (const toml::node& element : *node.as_array()) {
        const Position at = place(element.source());
        const auto text = element.value<std::string_view>();
        const auto prefix = text ? Prefix::parse(*text) : std::nullopt;
        const auto enclosing = text ? Prefix::enclosing(*text) : std::nullopt;
        if (!enclosing) {
            draft_.error(at, what_came(element) + " is not a prefix" + legal);
        } else if (!prefix) {
            draft_.error(at, fmt::format("{} has host bits set: legal is {}", what_came(element), enclosing->text()));
        } else {
            draft_.configuration.exempt_destinations.push_back(*prefix);
        }
    }
}

void Reader::read_ruleset_file(const toml::node& node) {
    const auto path = node.value<std::string>();
    if (path && fs::path(*path).is_absolute() && fs::path(*path).has_filename()) {
        draft_.configuration.ruleset_file = *path;
    } else {
        draft_.error(place(node.source()),
                     fmt::format(R"(ruleset-file is {}: legal is the absolute name of a file, such as )"
                                 R"("/run/statnat/ruleset.nft")",
                                 what_came(node)));
    }
}

void Reader::find_pairs_files(const toml::node& node) {
    const std::string legal = ": legal is an array of file names and patterns such as [\"pairs.d/*.csv\"]";
    if (!node.is_array()) {
        draft_.error(place(node.source()), "pairs-files is " + what_came(node) + legal);
        return;
    }
    std::set<fs::path> known;
    for (const toml::node& element : *node.as_array()) {
        const auto pattern = element.value<std::string>();
        if (!pattern) {
            draft_.error(place(element.source()), "a pairs file is " + what_came(element) + legal);
            continue;
        }
        try {
            const auto paths = matching_files(draft_.file(0).parent_path(), *pattern);
            if (paths.empty()) {
                draft_.error(place(element.source()),
                             fmt::format("{} matches no file: legal is what matches at least one", what_came(element)));
            }
            for (const fs::path& path : paths) {
                std::error_code ignored;
                const fs::path real = fs::weakly_canonical(path, ignored);
                if (known.insert(real.empty() ? path : real).second) {
                    draft_.add_file(path);
                }
            }
        } catch (const std::system_error& failure) {
            draft_.error(place(element.source()),
                         fmt::format("{} cannot be looked up: {}", what_came(element), failure.code().message()));
        }
    }
}

void Reader::read_pairs(const toml::table& pairs) {
    for (const auto& [key, node, before] : document_.with_repeated(pairs)) {
        lines_before_ = before;
        read_pair(*key, *node);
    }
    lines_before_ = 0;
}

void Reader::read_pair(const toml::key& key, const toml::node& node) {
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
    if (table) {
        read_pair_table(*table, entry);
    } else if (const auto external = node.value<std::string_view>()) {
        entry.pair.external = draft_.side(*external, entry.external_at);
    } else {
        draft_.error(entry.external_at,
                     fmt::format("the external of {} is {}{}", in_quotes(key), what_came(node), legal_pair));
    }
    draft_.take(std::move(entry));
}

void Reader::read_pair_table(const toml::table& table, Entry& entry) {
    if (!table.contains("external")) {
        draft_.error(entry.external_at, std::string("external is missing") + legal_pair);
    }
    for (const auto& [key, node, before] : in_reading_order(table)) {
        const auto text = node->value<std::string_view>();
        const Position at = place(node->source());
        if (*key == "npt") {
            entry.npt_at = at;
            entry.pair.npt = read_npt(*node);
        } else if (*key != "external" && *key != "comment") {
            draft_.error(place(key->source()),
                         fmt::format("unknown key {}: legal are external, npt and comment", in_quotes(*key)));
        } else if (!text) {
            draft_.error(at, fmt::format("{} is {}: legal is a string", key->str(), what_came(*node)));
        } else if (*key == "external") {
            entry.external_at = at;
            entry.pair.external = draft_.side(*text, at);
        } else {
            entry.comment_at = at;
            entry.pair.comment = *text;
        }
    }
}

std::optional<bool> Reader::read_npt(const toml::node& node) {
    const auto value = node.is_boolean() ? node.value<bool>() : std::nullopt;
    if (!value) {
        draft_.error(place(node.source()), fmt::format("npt is {}: legal are true and false", what_came(node)));
    }
    return value;
}

}  // namespace

Configuration read_configuration(const fs::path& file) {
    return Reader(file).read();
}

}  // namespace statnat
