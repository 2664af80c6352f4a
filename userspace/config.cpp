// SPDX-License-Identifier: GPL-2.0-or-later
// Reads the TOML file and its CSV files of pairs, and judges all of it before it gives up. Where something is wrong, all
// of it is read once more, now with a note of where each pair stands.
#include "config.hpp"

#include "files.hpp"
#include "objections.hpp"

#include <glob.h>
#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <memory>
#include <set>
#include <system_error>
#include <utility>

namespace statnat {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t shortest_line = std::string_view("1.0.0.1,1.0.0.2\n").size();

constexpr const char* legal_pair = ": legal is \"198.51.100.2\" or { external = \"198.51.100.2\", comment = \"mail\" }";

// The files that a shell pattern names, relative to a directory, sorted.
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
    if (glob(full.c_str(), GLOB_ERR, nullptr, &result) != 0) {
        return {};
    }
    std::vector<fs::path> paths(result.gl_pathv, result.gl_pathv + result.gl_pathc);
    std::sort(paths.begin(), paths.end());
    return paths;
}

bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r';
}

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && is_blank(text.front())) {
        text.remove_prefix(1);
    }
    while (!text.empty() && is_blank(text.back())) {
        text.remove_suffix(1);
    }
    return text;
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

struct Place {
    unsigned file = 0;  // in reading order
    unsigned line = 0;
    unsigned column = 0;

    auto operator<=>(const Place&) const = default;
};

// A pair and where its parts were read.
struct Entry {
    Request pair;
    Place internal_at;
    Place external_at;
    Place npt_at;
    Place comment_at;

    Place at(Side side) const { return side == Side::internal ? internal_at : external_at; }
};

using Items = std::vector<std::pair<const toml::key*, const toml::node*>>;

void sort_by_place(Items& items) {
    std::sort(items.begin(), items.end(), [](const auto& a, const auto& b) {
        return a.first->source().begin < b.first->source().begin;
    });
}

Items in_reading_order(const toml::table& table) {
    Items items;
    for (const auto& [key, node] : table) {
        items.emplace_back(&key, &node);
    }
    sort_by_place(items);
    return items;
}

Place place(const toml::source_region& region) {
    return {0, region.begin.line, region.begin.column};
}

class Reader {
public:
    Configuration read(const fs::path& file);

private:
    struct Source {
        fs::path path;
        std::optional<std::string> text;  // of what cannot be read twice
    };

    void parse(std::string text);
    bool take_repeated_line(std::string& text, std::size_t number);
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
    void read_pairs_file(unsigned file);
    void read_pairs_lines(std::string_view lines, unsigned file, unsigned& number);
    bool take_plain_line(std::string_view& lines);
    void read_pairs_line(std::string_view line, unsigned file, unsigned number);
    std::optional<Prefix> read_side(std::string_view text, Place at);
    void read_external(std::string_view text, Entry& entry);
    void take(Entry entry);
    void judge(Entry& entry);
    void refuse_collisions();
    void throw_errors();

    template <typename Read>
    void read_source(unsigned file, Read read);
    void error(Place at, std::string sentence) { errors_.emplace_back(at, std::move(sentence)); }
    std::string mention(Place at) const;

    std::vector<Source> sources_;  // what Place::file counts
    std::optional<toml::table> root_;
    std::vector<toml::table> repeated_;  // lines that set a key again, each parsed alone
    bool careful_ = false;               // keep entries

    // What is read again when everything is.
    Configuration configuration_;
    bool npt_ = false;  // wherever a pair can have it and does not say otherwise
    std::vector<Entry> entries_;
    std::vector<std::pair<Place, std::string>> errors_;
};

Configuration Reader::read(const fs::path& file) {
    sources_.push_back({file, {}});
    read_source(0, [&](const fs::path& path) { parse(read_file(path)); });
    if (!root_) {
        refuse_repeated();
        throw_errors();
    }
    read_everything();
    if (!errors_.empty() || collide(configuration_.pairs)) {
        careful_ = true;
        read_everything();
        refuse_collisions();
    }
    throw_errors();
    return std::move(configuration_);
}

// `read` may throw std::system_error.
template <typename Read>
void Reader::read_source(unsigned file, Read read) {
    try {
        read(sources_[file].path);
    } catch (const std::system_error& failure) {
        error({file, 0, 0}, "cannot be read: " + failure.code().message());
    }
}

// TOML forbids a key that is set twice, and toml++ stops there. Such a line is set aside and judged with the rest, so
// that an address that comes twice is told like any other one, with both places.
void Reader::parse(std::string text) {
    constexpr std::size_t most_repeated = 100;
    while (!root_) {
        try {
            root_ = toml::parse(std::string_view(text));
        } catch (const toml::parse_error& failure) {
            const bool repeated = failure.description().find("cannot redefine") != std::string_view::npos;
            const Place at = place(failure.source());
            if (!repeated || repeated_.size() == most_repeated || !take_repeated_line(text, at.line)) {
                error(at, repeated ? "this key or table is set already" : std::string(failure.description()));
                return;
            }
        }
    }
}

bool Reader::take_repeated_line(std::string& text, std::size_t number) {
    std::size_t start = 0;
    for (std::size_t line = 1; line < number; ++line) {
        start = text.find('\n', start) + 1;
    }
    const std::size_t size = std::min(text.find('\n', start), text.size()) - start;
    const std::string line = text.substr(start, size);
    if (trimmed(line).starts_with('[')) {
        return false;
    }
    try {
        repeated_.push_back(toml::parse(std::string(number - 1, '\n') + line));
    } catch (const toml::parse_error&) {
        return false;
    }
    text.erase(start, size);
    return true;
}

void Reader::read_everything() {
    configuration_ = {};
    npt_ = false;
    errors_.clear();
    refuse_repeated();
    read_root();
    for (unsigned file = 1; file < sources_.size(); ++file) {
        read_pairs_file(file);
    }
    configuration_.pairs.sort();
}

void Reader::refuse_repeated() {
    const toml::table* pairs = root_ ? (*root_)["pairs"].as_table() : nullptr;
    for (const toml::table& line : repeated_) {
        for (const auto& [key, node] : line) {
            if (!pairs || !pairs->contains(key)) {
                error(place(key.source()), "the key " + in_quotes(key) + " is set already");
            }
        }
    }
}

void Reader::read_root() {
    const toml::table* gateway = nullptr;
    const toml::table* pairs = nullptr;
    for (const auto& [key, node] : in_reading_order(*root_)) {
        const toml::table* table = node->as_table();
        if (*key != "gateway" && *key != "pairs") {
            error(place(key->source()), "unknown key " + in_quotes(*key) + ": legal are the tables gateway and pairs");
        } else if (!table) {
            error(place(key->source()), std::string(*key) + " is " + what_came(*node) + ": legal is a table");
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
    for (const auto& [key, node] : in_reading_order(gateway)) {
        if (*key == "engine") {
            read_engine(*node);
        } else if (*key == "counters") {
            read_counters(*node);
        } else if (*key == "exempt-destinations") {
            read_exempt_destinations(*node);
        } else if (*key == "pairs-files") {
            find_pairs_files(*node);
        } else if (*key == "npt") {
            npt_ = read_npt(*node).value_or(false);
        } else {
            error(place(key->source()), "unknown key " + in_quotes(*key) +
                                            ": legal are engine, counters, exempt-destinations, pairs-files and npt");
        }
    }
}

void Reader::read_engine(const toml::node& node) {
    const auto value = node.value<std::string_view>();
    if (value == "expression") {
        configuration_.engine = Engine::expression;
    } else if (value == "native") {
        configuration_.engine = Engine::native;
    } else if (value != "auto") {
        error(place(node.source()),
              "engine is " + what_came(node) + ": legal are \"auto\", \"expression\" and \"native\"");
    }
}

void Reader::read_counters(const toml::node& node) {
    const auto value = node.value<std::string_view>();
    if (value == "pair") {
        configuration_.counters = Counters::pair;
    } else if (value == "rule") {
        configuration_.counters = Counters::rule;
    } else if (value == "off") {
        configuration_.counters = Counters::off;
    } else {
        error(place(node.source()), "counters is " + what_came(node) + ": legal are \"pair\", \"rule\" and \"off\"");
    }
}

void Reader::read_exempt_destinations(const toml::node& node) {
    const std::string legal = ": legal is an array of prefixes such as [\"10.0.0.0/8\", \"fd00::/8\"]";
    if (!node.is_array()) {
        error(place(node.source()), "exempt-destinations is " + what_came(node) + legal);
        return;
    }
    for (const toml::node& element : *node.as_array()) {
        const Place at = place(element.source());
        const auto text = element.value<std::string_view>();
        const auto prefix = text ? Prefix::parse(*text) : std::nullopt;
        const auto enclosing = text ? Prefix::enclosing(*text) : std::nullopt;
        if (!enclosing) {
            error(at, what_came(element) + " is not a prefix" + legal);
        } else if (!prefix) {
            error(at, what_came(element) + " has host bits set: legal is " + enclosing->text());
        } else {
            configuration_.exempt_destinations.push_back(*prefix);
        }
    }
}

void Reader::find_pairs_files(const toml::node& node) {
    const std::string legal = ": legal is an array of file names and patterns such as [\"pairs.d/*.csv\"]";
    if (!node.is_array()) {
        error(place(node.source()), "pairs-files is " + what_came(node) + legal);
        return;
    }
    std::set<fs::path> known;
    for (const toml::node& element : *node.as_array()) {
        const auto pattern = element.value<std::string>();
        if (!pattern) {
            error(place(element.source()), "a pairs file is " + what_came(element) + legal);
            continue;
        }
        const auto paths = matches(sources_.front().path.parent_path(), *pattern);
        if (paths.empty()) {
            error(place(element.source()), what_came(element) + " matches no file: legal is what matches at least one");
        }
        for (const fs::path& path : paths) {
            std::error_code ignored;
            const fs::path real = fs::weakly_canonical(path, ignored);
            const auto same = [&](const Source& source) { return source.path == path; };
            if (known.insert(real.empty() ? path : real).second && std::none_of(sources_.begin() + 1, sources_.end(), same)) {
                sources_.push_back({path, {}});
            }
        }
    }
}

void Reader::read_pairs(const toml::table& pairs) {
    Items items = in_reading_order(pairs);
    for (const toml::table& line : repeated_) {
        for (const auto& [key, node] : line) {
            if (pairs.contains(key)) {
                items.emplace_back(&key, &node);
            }
        }
    }
    sort_by_place(items);
    for (const auto& [key, node] : items) {
        read_pair(*key, *node);
    }
}

void Reader::read_pair(const toml::key& key, const toml::node& node) {
    const toml::table* table = node.as_table();
    const Place at = place(key.source());
    if (table && !table->is_inline() && !Prefix::enclosing(key)) {
        // 10.0.0.2 = "198.51.100.2" is TOML for tables inside tables.
        error(at, in_quotes(key) + " is not an address: legal is one in quotation marks, such as \"10.0.0.2\"");
        return;
    }
    Entry entry;
    entry.internal_at = at;
    entry.external_at = place(node.source());
    entry.pair.internal = read_side(key, at);
    if (table) {
        read_pair_table(*table, entry);
    } else if (const auto external = node.value<std::string_view>()) {
        entry.pair.external = read_side(*external, entry.external_at);
    } else {
        error(entry.external_at, "the external of " + in_quotes(key) + " is " + what_came(node) + legal_pair);
    }
    take(std::move(entry));
}

void Reader::read_pair_table(const toml::table& table, Entry& entry) {
    if (!table.contains("external")) {
        error(entry.external_at, std::string("external is missing") + legal_pair);
    }
    for (const auto& [key, node] : in_reading_order(table)) {
        const auto text = node->value<std::string_view>();
        const Place at = place(node->source());
        if (*key == "npt") {
            entry.npt_at = at;
            entry.pair.npt = read_npt(*node);
        } else if (*key != "external" && *key != "comment") {
            error(place(key->source()), "unknown key " + in_quotes(*key) + ": legal are external, npt and comment");
        } else if (!text) {
            error(at, std::string(*key) + " is " + what_came(*node) + ": legal is a string");
        } else if (*key == "external") {
            entry.external_at = at;
            entry.pair.external = read_side(*text, at);
        } else {
            entry.comment_at = at;
            entry.pair.comment = *text;
        }
    }
}

std::optional<bool> Reader::read_npt(const toml::node& node) {
    const auto value = node.is_boolean() ? node.value<bool>() : std::nullopt;
    if (!value) {
        error(place(node.source()), "npt is " + what_came(node) + ": legal are true and false");
    }
    return value;
}

void Reader::read_pairs_file(unsigned file) {
    unsigned number = 1;
    const auto read = [&](std::string_view lines) { read_pairs_lines(lines, file, number); };
    read_source(file, [&](const fs::path& path) {
        std::optional<std::string>& text = sources_[file].text;
        std::error_code ignored;
        if (!text && fs::is_regular_file(path, ignored)) {
            configuration_.pairs.expect(fs::file_size(path, ignored) / shortest_line);
            read_lines(path, read);
            return;
        }
        if (!text) {
            text = read_file(path);
        }
        read(*text);
    });
}

// `number`: of the first of these lines.
void Reader::read_pairs_lines(std::string_view lines, unsigned file, unsigned& number) {
    constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
    if (number == 1 && lines.starts_with(byte_order_mark)) {
        lines.remove_prefix(byte_order_mark.size());
    }
    for (; !lines.empty(); ++number) {
        if (!careful_ && take_plain_line(lines)) {
            continue;
        }
        const std::size_t end = std::min(lines.find('\n'), lines.size());
        read_pairs_line(lines.substr(0, end), file, number);
        lines.remove_prefix(std::min(end + 1, lines.size()));
    }
}

// "INTERNAL,EXTERNAL\n" of IPv4 hosts without anything to object to, which is what large files consist of.
bool Reader::take_plain_line(std::string_view& lines) {
    if (!lines.ends_with('\n')) {
        return false;
    }
    const char* at = lines.data();
    Address internal;
    Address external;
    if (!internal.take_ipv4(at) || *at++ != ',' || !external.take_ipv4(at) || *at++ != '\n' ||
        !are_plain_hosts(internal, external)) {
        return false;
    }
    configuration_.pairs.push_back({Family::ipv4, 32}, internal, external);
    lines.remove_prefix(static_cast<std::size_t>(at - lines.data()));
    return true;
}

// internal,external[ npt| plain][,comment] # what is not read
void Reader::read_pairs_line(std::string_view line, unsigned file, unsigned number) {
    const auto at = [&](std::string_view field) {
        return Place{file, number, static_cast<unsigned>(field.data() - line.data()) + 1};
    };
    const std::string_view content = trimmed(line.substr(0, line.find('#')));
    if (content.empty()) {
        return;
    }
    const std::size_t first = content.find(',');
    if (first == std::string_view::npos) {
        error(at(content), in_quotes(content) + " is not a pair: legal is internal,external[,comment]");
        return;
    }
    const std::size_t second = std::min(content.find(',', first + 1), content.size());
    const std::string_view internal = trimmed(content.substr(0, first));
    const std::string_view external = trimmed(content.substr(first + 1, second - first - 1));
    const std::string_view comment = trimmed(content.substr(std::min(second + 1, content.size())));

    Entry entry;
    entry.internal_at = at(internal);
    entry.external_at = at(external);
    entry.comment_at = at(comment);
    entry.pair.comment = comment;
    entry.pair.internal = read_side(internal, entry.internal_at);
    read_external(external, entry);
    take(std::move(entry));
}

// EXTERNAL, and behind a blank what becomes of it: "npt", or "plain" whatever the gateway says.
void Reader::read_external(std::string_view text, Entry& entry) {
    const auto blank = static_cast<std::size_t>(std::find_if(text.begin(), text.end(), is_blank) - text.begin());
    const std::string_view word = trimmed(text.substr(blank));
    entry.npt_at = entry.external_at;
    entry.npt_at.column += static_cast<unsigned>(word.data() - text.data());
    entry.pair.external = read_side(text.substr(0, blank), entry.external_at);
    if (word == "npt" || word == "plain") {
        entry.pair.npt = word == "npt";
    } else if (!word.empty()) {
        error(entry.npt_at,
              in_quotes(word) + " is neither npt nor plain: legal is one of them behind an external prefix");
    }
}

std::optional<Prefix> Reader::read_side(std::string_view text, Place at) {
    const auto prefix = Prefix::parse(text);
    if (!prefix) {
        error(at, not_a_side(text));
    }
    return prefix;
}

void Reader::take(Entry entry) {
    judge(entry);
    const auto& [internal, external, npt, comment] = entry.pair;
    if (internal && external) {
        if (!internal->is_host() && !configuration_.not_for_native) {
            const auto& [file, line, column] = entry.internal_at;
            configuration_.not_for_native = {sources_[file].path, line, column, *why_not_native(entry.pair.pair())};
        }
        configuration_.pairs.push_back(entry.pair.pair());
    }
    if (careful_) {
        entries_.push_back(std::move(entry));
    }
}

void Reader::judge(Entry& entry) {
    entry.pair.settle(npt_);
    for (PartObjection& objection : objections(entry.pair)) {
        switch (objection.part) {
        case Part::internal:
            error(entry.internal_at, std::move(objection.sentence));
            entry.pair.internal.reset();
            break;
        case Part::external:
            error(entry.external_at, std::move(objection.sentence));
            entry.pair.external.reset();
            break;
        case Part::npt:
            error(entry.npt_at, std::move(objection.sentence));
            entry.pair.npt = false;
            break;
        case Part::comment:
            error(entry.comment_at, std::move(objection.sentence));
            break;
        }
    }
}

void Reader::refuse_collisions() {
    std::vector<Candidate> all;
    for (const Entry& entry : entries_) {
        all.push_back({entry.pair.internal, entry.pair.external, entry.pair.npt.value_or(false)});
    }
    for (const Collision& collision : overlaps(all).collisions) {
        error(entries_[collision.later].at(collision.later_side),
              sentence(collision, all, mention(entries_[collision.earlier].at(collision.earlier_side))));
    }
}

std::string Reader::mention(Place at) const {
    return " (" + sources_[at.file].path.string() + ":" + std::to_string(at.line) + ")";
}

void Reader::throw_errors() {
    if (errors_.empty()) {
        return;
    }
    std::stable_sort(errors_.begin(), errors_.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    InvalidConfiguration invalid;
    for (auto& [at, sentence] : errors_) {
        invalid.errors.push_back({sources_[at.file].path, at.line, at.column, std::move(sentence)});
    }
    throw invalid;
}

}  // namespace

std::string ConfigurationError::text() const {
    const std::string position = line == 0 ? "" : ":" + std::to_string(line) + ":" + std::to_string(column);
    return file.string() + position + ": " + sentence;
}

Configuration read_configuration(const fs::path& file) {
    return Reader{}.read(file);
}

}  // namespace statnat
