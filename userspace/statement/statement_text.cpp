// SPDX-License-Identifier: GPL-2.0-or-later
// A reader that goes from word to word, as long as they belong to the statement.
#include "statement/statement_text.hpp"

#include "printable.hpp"
#include "statement/nft_words.hpp"
#include "statement/objections_to_statement.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <vector>

namespace statnat {

namespace {

constexpr std::size_t most_maps = 255;  // NFT_SNAT_STATELESS_MAPS_MAX

// Words that would go on with the stand-in, a log statement.
constexpr std::array<std::string_view, 14> never_next{"prefix", "npt",     "within", "else",  "unless",
                                                      "only",   "via",     "errors", "level", "group",
                                                      "flags",  "snaplen", "queue-threshold", "forward"};

Misfit misfit(const NftWord& word, std::string sentence) {
    return {word.begin, std::max(word.end(), word.begin + 1), std::move(sentence)};
}

std::optional<Misfit> blamed(const NftWord& word, const std::optional<std::string>& objection) {
    return objection ? std::optional(misfit(word, *objection)) : std::nullopt;
}

Misfit unexpected(const NftWord& word, std::string_view expected) {
    const std::string what = word.text.empty() ? "newline" : legible(word.text);
    return misfit(word, "syntax error, unexpected " + what +
                            (expected.empty() ? "" : ", expecting " + std::string(expected)));
}

std::optional<Misfit> read_prefix(NftWords& words, MapReference& map) {
    const NftWord length = words.take();
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

std::optional<Misfit> read_addresses(const NftWord& word, std::optional<Prefix>& prefix) {
    prefix = Prefix::parse(word.text);
    if (prefix) {
        return {};
    }
    const auto enclosing = Prefix::enclosing(word.text);
    return enclosing ? misfit(word, "host bits are set; " + enclosing->text() + " has none")
                     : unexpected(word, "a prefix of addresses");
}

std::optional<Misfit> read_within(NftWords& words, MapReference& map) {
    const NftWord prefix = words.take(is_address_character);
    if (const auto wrong = read_addresses(prefix, map.within)) {
        return wrong;
    }
    return blamed(prefix, objection_to_map(map));
}

std::optional<Misfit> read_map(NftWords& words, std::vector<MapReference>& maps) {
    const NftWord sign = words.take();
    if (sign.text != "@") {
        return unexpected(sign, "@");
    }
    const NftWord name = words.take();
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

std::optional<Misfit> read_maps(NftWords& words, std::vector<MapReference>& maps) {
    if (const NftWord word = words.take(); word.text != "map") {
        return unexpected(word, "map");
    }
    do {
        if (const auto wrong = read_map(words, maps)) {
            return wrong;
        }
    } while (words.take(","));
    return {};
}

std::optional<Misfit> read_flags(NftWords& words, SnatStateless& statement) {
    while (true) {
        const NftWord word = words.peek();
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
std::optional<Misfit> read_else(NftWords& words, SnatStateless& statement) {
    if (const NftWord word = words.take(); word.text != "saddr") {
        return unexpected(word, "saddr");
    }
    if (const auto wrong = read_maps(words, statement.else_maps)) {
        return wrong;
    }
    const std::string_view decides = statement.follow ? "follow" : "untrack";
    if (const NftWord word = words.take(); word.text != decides) {
        return unexpected(word, decides);
    }
    return {};
}

std::optional<Misfit> read_destinations(NftWords& words, SnatStateless& statement) {
    if (const NftWord word = words.take(); word.text != "daddr") {
        return unexpected(word, "daddr");
    }
    do {
        const NftWord word = words.take(is_address_character);
        std::optional<Prefix> prefix;
        if (const auto wrong = read_addresses(word, prefix)) {
            return wrong;
        }
        statement.destinations.push_back(*prefix);
        if (const auto wrong = blamed(word, objection_to_prefixes(statement))) {
            return wrong;
        }
    } while (words.take(","));
    return {};
}

std::string_view without_quotes(std::string_view word) {
    return word.size() > 1 && word.front() == '"' && word.back() == '"' ? word.substr(1, word.size() - 2) : word;
}

bool is_interface_character(char character) {
    return is_word_character(character) || character == '*';
}

std::optional<Misfit> read_via(NftWords& words, SnatStateless& statement) {
    do {
        const NftWord word = words.take(is_interface_character);
        if (word.text.empty() || (!is_interface_character(word.text.front()) && word.text.front() != '"')) {
            return unexpected(word, "the name of an interface");
        }
        statement.via.emplace_back(without_quotes(word.text));
        if (const auto wrong = blamed(word, objection_to_via(statement))) {
            return wrong;
        }
    } while (words.take(","));
    return {};
}

std::optional<Misfit> read_errors(NftWords& words, SnatStateless& statement) {
    if (const NftWord word = words.take(); word.text != "as") {
        return unexpected(word, "as");
    }
    const NftWord word = words.take(is_address_character);
    statement.errors_as = Address::parse(word.text);
    return statement.errors_as ? blamed(word, objection_to_errors(statement)) : unexpected(word, "an address");
}

std::optional<Misfit> read(NftWords& words, SnatStateless& statement) {
    const NftWord field = words.take();
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
    if (const NftWord word = words.peek(); words.take("else")) {
        if (const auto wrong = read_else(words, statement)) {
            return wrong;
        }
        if (const auto objection = objection_to_else(statement)) {
            return misfit(word, *objection);
        }
    }
    const NftWord destinations = words.peek();
    statement.only = words.take("only");
    if (statement.only || words.take("unless")) {
        if (const auto wrong = read_destinations(words, statement)) {
            return wrong;
        }
    }
    if (words.take("via")) {
        if (const auto wrong = read_via(words, statement)) {
            return wrong;
        }
    }
    if (const auto wrong = blamed(destinations, objection_to_destinations(statement))) {
        return wrong;
    }
    if (const NftWord word = words.peek(); words.take("forward")) {
        statement.forward = true;
        if (const auto wrong = blamed(word, objection_to_forward(statement))) {
            return wrong;
        }
    }
    if (words.take("errors")) {
        if (const auto wrong = read_errors(words, statement)) {
            return wrong;
        }
    }
    const NftWord next = words.peek();
    if (std::find(never_next.begin(), never_next.end(), next.text) != never_next.end()) {
        return unexpected(next, {});
    }
    return {};
}

// Tables, chains and other things may have the keyword for their name.
bool is_name_only(NftWords words) {
    const NftWord first = words.take();
    const bool field = first.text == "saddr" || first.text == "daddr";
    const NftWord second = first.text == "map" ? first : words.take();
    if (second.text != "map") {
        return !field || second.text != "@";
    }
    return !field && words.peek().text != "@";
}

}  // namespace

std::optional<StatementReading> read_statement(std::string_view text) {
    NftWords words(text);
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
