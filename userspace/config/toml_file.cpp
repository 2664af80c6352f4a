// SPDX-License-Identifier: GPL-2.0-or-later
// Reads the TOML file and the files of pairs that it names, and judges all of it before it gives up. Where something is
// wrong, all of it is read once more, now with a note of where each pair stands.
#include "config/toml_file.hpp"

#include "config/draft.hpp"
#include "config/pairs_file.hpp"
#include "config/toml_text.hpp"
#include "files.hpp"
#include "pairs/objections.hpp"
#include "printable.hpp"

#include <glob.h>
#include <toml++/toml.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <new>
#include <set>
#include <system_error>
#include <tuple>
#include <utility>

namespace statnat {
namespace {

namespace fs = std::filesystem;

constexpr const char* legal_pair = ": legal is \"198.51.100.2\" or { external = \"198.51.100.2\", comment = \"mail\" }";

// The files that a shell pattern names, relative to a directory, sorted. Throws std::system_error where a directory
// cannot be looked into.
std::vector<fs::path> matches(const fs::path& directory, const std::string& pattern) {
    std::string full;
    if (!directory.empty() && !pattern.starts_with('/')) {
        for (const char c : directory.string() + "/") {
            full += std::string_view("*?[]\\").find(c) == std::string_view::npos ? "" : "\\";
            full += c;
        }
    }
    full += pattern;

    glob_t result{};
    const std::unique_ptr<glob_t, decltype(&globfree)> cleanup{&result, globfree};
    errno = 0;
    const int status = glob(full.c_str(), GLOB_ERR, nullptr, &result);
    if (status == GLOB_NOSPACE) {
        throw std::bad_alloc();
    }
    if (status != 0) {
        // What glob() does not find it may have had no right to find.
        const bool is_missing = errno == 0 || errno == ENOENT || errno == ENOTDIR;
        return is_missing ? std::vector<fs::path>{} : throw std::system_error(errno, std::generic_category());
    }
    std::vector<fs::path> paths(result.gl_pathv, result.gl_pathv + result.gl_pathc);
    std::sort(paths.begin(), paths.end());
    return paths;
}

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

struct Item {
    const toml::key* key;
    const toml::node* node;
    unsigned lines_before = 0;
};

using Items = std::vector<Item>;

void sort_by_place(Items& items) {
    std::sort(items.begin(), items.end(), [](const Item& a, const Item& b) {
        const toml::source_position& one = a.key->source().begin;
        const toml::source_position& other = b.key->source().begin;
        return std::tuple(one.line + a.lines_before, one.column) < std::tuple(other.line + b.lines_before, other.column);
    });
}

Items in_reading_order(const toml::table& table) {
    Items items;
    for (const auto& [key, node] : table) {
        items.push_back({&key, &node});
    }
    sort_by_place(items);
    return items;
}

// A line that sets a key again, parsed alone.
struct RepeatedLine {
    unsigned lines_before;
    toml::table table;
};

class Reader {
public:
    explicit Reader(const fs::path& file) : draft_(file) {}

    Configuration read();

private:
    Position place(const toml::source_region& region) const {
        return {0, region.begin.line + lines_before_, region.begin.column};
    }
    void parse(std::string text);
    bool set_aside_repeated(std::string& text);
    void read_everything();
    void refuse_repeated();
    void read_root();
    void read_gateway(const toml::table& gateway);
    void read_engine(const toml::node& node);
    void read_counters(const toml::node& node);
    void read_exempt_destinations(const toml::node& node);
    void find_pairs_files(const toml::node& node);
    std::optional<bool> read_npt(const toml::node& node);
    void read_pairs(const toml::table& pairs);
    void read_pair(const toml::key& key, const toml::node& node);
    void read_pair_table(const toml::table& table, Entry& entry);

    Draft draft_;
    std::vector<PairsFile> pairs_files_;
    std::optional<toml::table> root_;
    std::vector<RepeatedLine> repeated_;
    unsigned lines_before_ = 0;  // what is parsed alone, and read now
};

Configuration Reader::read() {
    draft_.read(0, [&](const fs::path& path) { parse(read_file(path)); });
    if (!root_) {
        refuse_repeated();
        return draft_.finish();
    }
    read_everything();
    if (draft_.is_wrong()) {
        draft_.start_over(true);
        read_everything();
    }
    return draft_.finish();
}

// TOML forbids a key that is set twice, and toml++ stops there. Such lines are set aside and judged with the rest, so
// that an address that comes twice is told like any other one, with both places.
void Reader::parse(std::string text) {
    if (const auto deep = find_deep_key(text)) {
        draft_.error({0, deep->line, deep->column}, "a key of too many parts: legal are the tables gateway and pairs");
        return;
    }
    for (bool again = true; again;) {
        try {
            root_ = toml::parse(std::string_view(text));
            return;
        } catch (const toml::parse_error& failure) {
            const bool repeated = failure.description().find("cannot redefine") != std::string_view::npos;
            again = repeated && repeated_.empty() && set_aside_repeated(text);
            if (!again) {
                draft_.error(place(failure.source()),
                             repeated ? "this key or table is set already" : std::string(failure.description()));
            }
        }
    }
}

// False: there are none that stand alone.
bool Reader::set_aside_repeated(std::string& text) {
    for (const TextLine& line : take_repeated_lines(text)) {
        try {
            repeated_.push_back({line.number - 1, toml::parse(line.text)});
        } catch (const toml::parse_error& failure) {
            draft_.error({0, line.number, failure.source().begin.column}, std::string(failure.description()));
        }
    }
    return !repeated_.empty();
}

void Reader::read_everything() {
    refuse_repeated();
    read_root();
    while (pairs_files_.size() + 1 < draft_.files()) {
        pairs_files_.emplace_back(pairs_files_.size() + 1);
    }
    for (PairsFile& file : pairs_files_) {
        file.read(draft_);
    }
    draft_.configuration.pairs.sort();
}

void Reader::refuse_repeated() {
    const toml::table* pairs = root_ ? (*root_)["pairs"].as_table() : nullptr;
    for (const RepeatedLine& line : repeated_) {
        for (const auto& [key, node] : line.table) {
            if (!pairs || !pairs->contains(key)) {
                draft_.error({0, line.lines_before + 1, key.source().begin.column},
                             "the key " + in_quotes(key) + " is set already");
            }
        }
    }
}

void Reader::read_root() {
    const toml::table* gateway = nullptr;
    const toml::table* pairs = nullptr;
    for (const auto& [key, node, before] : in_reading_order(*root_)) {
        const toml::table* table = node->as_table();
        if (*key != "gateway" && *key != "pairs") {
            draft_.error(place(key->source()),
                         "unknown key " + in_quotes(*key) + ": legal are the tables gateway and pairs");
        } else if (!table) {
            draft_.error(place(key->source()), std::string(*key) + " is " + what_came(*node) + ": legal is a table");
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
    for (const auto& [key, node, before] : in_reading_order(gateway)) {
        if (*key == "engine") {
            read_engine(*node);
        } else if (*key == "counters") {
            read_counters(*node);
        } else if (*key == "exempt-destinations") {
            read_exempt_destinations(*node);
        } else if (*key == "pairs-files") {
            find_pairs_files(*node);
        } else if (*key == "npt") {
            draft_.npt = read_npt(*node).value_or(false);
        } else {
            draft_.error(place(key->source()),
                         "unknown key " + in_quotes(*key) +
                             ": legal are engine, counters, exempt-destinations, pairs-files and npt");
        }
    }
}

void Reader::read_engine(const toml::node& node) {
    const auto value = node.value<std::string_view>();
    if (value == "expression") {
        draft_.configuration.engine = Engine::expression;
    } else if (value == "native") {
        draft_.configuration.engine = Engine::native;
    } else if (value != "auto") {
        draft_.error(place(node.source()),
                     "engine is " + what_came(node) + ": legal are \"auto\", \"expression\" and \"native\"");
    }
}

void Reader::read_counters(const toml::node& node) {
    const auto value = node.value<std::string_view>();
    if (value == "pair") {
        draft_.configuration.counters = Counters::pair;
    } else if (value == "rule") {
        draft_.configuration.counters = Counters::rule;
    } else if (value == "off") {
        draft_.configuration.counters = Counters::off;
    } else {
        draft_.error(place(node.source()),
                     "counters is " + what_came(node) + ": legal are \"pair\", \"rule\" and \"off\"");
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
            draft_.error(at, what_came(element) + " has host bits set: legal is " + enclosing->text());
        } else {
            draft_.configuration.exempt_destinations.push_back(*prefix);
        }
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
            const auto paths = matches(draft_.file(0).parent_path(), *pattern);
            if (paths.empty()) {
                draft_.error(place(element.source()),
                             what_came(element) + " matches no file: legal is what matches at least one");
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
                         what_came(element) + " cannot be looked up: " + failure.code().message());
        }
    }
}

void Reader::read_pairs(const toml::table& pairs) {
    Items items = in_reading_order(pairs);
    for (const RepeatedLine& line : repeated_) {
        for (const auto& [key, node] : line.table) {
            if (pairs.contains(key)) {
                items.push_back({&key, &node, line.lines_before});
            }
        }
    }
    sort_by_place(items);
    for (const auto& [key, node, before] : items) {
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
        draft_.error(at, in_quotes(key) + " is not an address: legal is one in quotation marks, such as \"10.0.0.2\"");
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
        draft_.error(entry.external_at, "the external of " + in_quotes(key) + " is " + what_came(node) + legal_pair);
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
                         "unknown key " + in_quotes(*key) + ": legal are external, npt and comment");
        } else if (!text) {
            draft_.error(at, std::string(*key) + " is " + what_came(*node) + ": legal is a string");
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
        draft_.error(place(node.source()), "npt is " + what_came(node) + ": legal are true and false");
    }
    return value;
}

}  // namespace

Configuration read_configuration(const fs::path& file) {
    return Reader(file).read();
}

}  // namespace statnat
