// SPDX-License-Identifier: GPL-2.0-or-later
// A reader that goes from word to word, as long as they belong to the statement.
#include "ruleset/statement_text.hpp"

#include "printable.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <vector>

namespace statnat {

namespace {

constexpr std::size_t longest_map_name = 255;  // NFT_SET_MAXNAMELEN, less its zero
constexpr std::size_t most_maps = 255;         // NFT_SNAT_STATELESS_MAPS_MAX
constexpr std::uint8_t longest_prefix = 128;
constexpr std::uint8_t longest_npt_prefix = 64;

struct Word {
    std::string_view text;  // empty at the end of a line
    std::size_t begin = 0;
    std::size_t end() const { return begin + text.size(); }
};

class Words {
public:
    explicit Words(std::string_view text) : text_(text) {}

    Word peek(bool (*belongs)(char) = is_word_character) const {
        const std::size_t begin = after_blanks(at_);
        std::size_t end = begin;
        while (end < text_.size() && belongs(text_[end])) {
            ++end;
        }
        if (end == begin && begin < text_.size() && text_[begin] != '\n' && text_[begin] != '#') {
            const std::size_t quote = text_[begin] == '"' ? text_.find('"', begin + 1) : begin;
            end = quote == std::string_view::npos ? begin + 1 : quote + 1;
        }
        return {text_.substr(begin, end - begin), begin};
    }

    Word take(bool (*belongs)(char) = is_word_character) {
        const Word word = peek(belongs);
        at_ = word.end();
        return word;
    }

    bool take(std::string_view wanted) {
        const Word word = peek();
        if (word.text == wanted) {
            at_ = word.end();
        }
        return word.text == wanted;
    }

    std::size_t position() const { return at_; }

private:
    // A backslash joins lines, as everywhere in nft.
    std::size_t after_blanks(std::size_t at) const {
        while (at < text_.size()) {
            if (text_[at] == ' ' || text_[at] == '\t') {
                ++at;
            } else if (text_.substr(at, 2) == "\\\n") {
                at += 2;
            } else {
                break;
            }
        }
        return at;
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

// Words that would go on with the stand-in, a log statement.
constexpr std::array<std::string_view, 10> never_next{"prefix", "npt",   "within", "else",    "unless",
                                                      "level",  "group", "flags",  "snaplen", "queue-threshold"};

Misfit misfit(const Word& word, std::string sentence) {
    return {word.begin, std::max(word.end(), word.begin + 1), std::move(sentence)};
}

std::optional<Misfit> blamed(const Word& word, const std::optional<std::string>& objection) {
    return objection ? std::optional(misfit(word, *objection)) : std::nullopt;
}

Misfit unexpected(const Word& word, std::string_view expected) {
    const std::string what = word.text.empty() ? "newline" : legible(word.text);
    return misfit(word, "syntax error, unexpected " + what +
                            (expected.empty() ? "" : ", expecting " + std::string(expected)));
}

std::optional<Misfit> read_prefix(Words& words, MapReference& map) {
    const Word length = words.take();
    std::uint8_t bits = 0;
    const auto [end, error] = std::from_chars(length.text.data(), length.text.data() + length.text.size(), bits);
    if (error != std::errc{} || end != length.text.data() + length.text.size() || length.text.empty()) {
        return unexpected(length, "the length of a prefix");
    }
    map.prefix = bits;
    map.npt = words.take("npt");
    return blamed(length, objection_to_map(map));
}

bool is_address_character(char character) {
    return is_word_character(character) || character == ':';
}

std::optional<Misfit> read_addresses(const Word& word, std::optional<Prefix>& prefix) {
    prefix = Prefix::parse(word.text);
    if (prefix) {
        return {};
    }
    const auto enclosing = Prefix::enclosing(word.text);
    return enclosing ? misfit(word, "host bits are set; " + enclosing->text() + " has none")
                     : unexpected(word, "a prefix of addresses");
}

std::optional<Misfit> read_within(Words& words, MapReference& map) {
    const Word prefix = words.take(is_address_character);
    if (const auto wrong = read_addresses(prefix, map.within)) {
        return wrong;
    }
    return blamed(prefix, objection_to_map(map));
}

std::optional<Misfit> read_map(Words& words, std::vector<MapReference>& maps) {
    const Word sign = words.take();
    if (sign.text != "@") {
        return unexpected(sign, "@");
    }
    const Word name = words.take();
    if (name.text.empty() || !is_word_character(name.text.front())) {
        return unexpected(name, "the name of a map");
    }
    MapReference map{.name = std::string(name.text)};
    if (const auto objection = objection_to_map(map)) {
        return misfit(name, *objection);
    }
    if (words.take("prefix")) {
        if (const auto wrong = read_prefix(words, map)) {
            return wrong;
        }
    }
    if (words.take("within")) {
        if (const auto wrong = read_within(words, map)) {
            return wrong;
        }
    }
    if (maps.size() == most_maps) {
        return misfit(name, "more than " + std::to_string(most_maps) + " maps in one list");
    }
    maps.push_back(std::move(map));
    return {};
}

std::optional<Misfit> read_maps(Words& words, std::vector<MapReference>& maps) {
    if (const Word word = words.take(); word.text != "map") {
        return unexpected(word, "map");
    }
    do {
        if (const auto wrong = read_map(words, maps)) {
            return wrong;
        }
    } while (words.take(","));
    return {};
}

std::optional<Misfit> read_flags(Words& words, SnatStateless& statement) {
    while (true) {
        const Word word = words.peek();
        const auto* flag = std::find_if(statement_flags.begin(), statement_flags.end(),
                                       [&](const Flag& known) { return known.word == word.text; });
        if (flag == statement_flags.end()) {
            return {};
        }
        words.take();
        if (statement.*(flag->member)) {
            return misfit(word, std::string(flag->word) + " is there already");
        }
        statement.*(flag->member) = true;
        if (const auto objection = objection_to_flags(statement)) {
            return misfit(word, *objection);
        }
    }
}

// What follows "else", which can only be one thing.
std::optional<Misfit> read_else(Words& words, SnatStateless& statement) {
    if (const Word word = words.take(); word.text != "saddr") {
        return unexpected(word, "saddr");
    }
    if (const auto wrong = read_maps(words, statement.else_maps)) {
        return wrong;
    }
    if (const Word word = words.take(); word.text != "untrack") {
        return unexpected(word, "untrack");
    }
    return {};
}

std::optional<Misfit> read_unless(Words& words, SnatStateless& statement) {
    if (const Word word = words.take(); word.text != "daddr") {
        return unexpected(word, "daddr");
    }
    do {
        const Word word = words.take(is_address_character);
        std::optional<Prefix> prefix;
        if (const auto wrong = read_addresses(word, prefix)) {
            return wrong;
        }
        statement.unless.push_back(*prefix);
        if (const auto wrong = blamed(word, objection_to_unless(statement))) {
            return wrong;
        }
    } while (words.take(","));
    return {};
}

std::optional<Misfit> read(Words& words, SnatStateless& statement) {
    const Word field = words.take();
    if (field.text != "saddr" && field.text != "daddr") {
        return unexpected(field, "saddr or daddr");
    }
    statement.field = field.text == "saddr" ? Field::source : Field::destination;
    if (const auto wrong = read_maps(words, statement.maps)) {
        return wrong;
    }
    if (const auto wrong = read_flags(words, statement)) {
        return wrong;
    }
    if (const Word word = words.peek(); words.take("else")) {
        if (const auto wrong = read_else(words, statement)) {
            return wrong;
        }
        if (const auto objection = objection_to_else(statement)) {
            return misfit(word, *objection);
        }
    }
    if (words.take("unless")) {
        if (const auto wrong = read_unless(words, statement)) {
            return wrong;
        }
    }
    const Word next = words.peek();
    if (std::find(never_next.begin(), never_next.end(), next.text) != never_next.end()) {
        return unexpected(next, {});
    }
    return {};
}

// Tables, chains and other things may have the keyword for their name.
bool is_name_only(Words words) {
    const Word first = words.take();
    const bool field = first.text == "saddr" || first.text == "daddr";
    const Word second = first.text == "map" ? first : words.take();
    if (second.text != "map") {
        return !field || second.text != "@";
    }
    return !field && words.peek().text != "@";
}

}  // namespace

bool is_word_character(char character) {
    return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
           (character >= '0' && character <= '9') || character == '_' || character == '.' || character == '-' ||
           character == '/';
}

std::optional<std::string> objection_to_map(const MapReference& map) {
    if (map.name.empty()) {
        return "a map without a name";
    }
    if (map.name.size() > longest_map_name) {
        return "the name of this map has " + std::to_string(map.name.size()) + " bytes, and may have " +
               std::to_string(longest_map_name);
    }
    if (map.prefix && (*map.prefix == 0 || *map.prefix > longest_prefix)) {
        return "a prefix has a length of 1 to 32 for IPv4, of 1 to 128 for IPv6";
    }
    if (map.npt && (!map.prefix || *map.prefix > longest_npt_prefix)) {
        return "npt needs a prefix with a length of 1 to 64";
    }
    if (map.within && map.within->length == 0) {
        return "all addresses are within a prefix of length 0; leave it out";
    }
    return {};
}

std::optional<std::string> objection_to_flags(const SnatStateless& statement) {
    if (statement.notrack && statement.untrack) {
        return "notrack and untrack exclude each other";
    }
    if (statement.tracked && (statement.notrack || statement.untrack || statement.untracked)) {
        return std::string("tracked and ") +
               (statement.notrack ? "notrack" : statement.untrack ? "untrack" : "untracked") +
               " exclude each other";
    }
    return {};
}

std::optional<std::string> objection_to_else(const SnatStateless& statement) {
    if (!statement.else_maps.empty() && (statement.field != Field::destination || !statement.notrack)) {
        return "else goes with daddr and notrack only";
    }
    return {};
}

std::optional<std::string> objection_to_unless(const SnatStateless& statement) {
    const std::vector<Prefix>& unless = statement.unless;
    if (unless.empty()) {
        return {};
    }
    if (statement.else_maps.empty() && (statement.field != Field::source || !statement.untrack)) {
        return "unless goes with saddr and untrack, or with else";
    }
    if (unless.size() > most_unless) {
        return "more than " + std::to_string(most_unless) +
               " prefixes behind unless; a set before the statement has room";
    }
    if (unless.back().length == 0) {
        return "all addresses are in a prefix of length 0; leave the statement out";
    }
    if (unless.back().address.family != unless.front().address.family) {
        return "the prefixes behind unless are of one family";
    }
    return {};
}

std::optional<StatementReading> read_statement(std::string_view text) {
    Words words(text);
    words.take();
    if (is_name_only(words)) {
        return {};
    }
    SnatStateless statement{};
    if (auto wrong = read(words, statement)) {
        const std::size_t end = wrong->end;
        return StatementReading{std::move(*wrong), end};
    }
    return StatementReading{std::move(statement), words.position()};
}

}  // namespace statnat
