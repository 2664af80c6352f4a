// SPDX-License-Identifier: GPL-2.0-or-later
#include "formats/shorewall.hpp"

#include "importers/lines.hpp"
#include "printable.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include <fmt/format.h>

namespace statnat {
namespace {

// Behind what stands in its place, columns may be given by their names: in braces, or behind a semicolon.
Words columns_of(std::string_view line) {
    static constexpr std::array<std::string_view, 8> names{"type", "net1", "interface", "net2",
                                                           "net3", "proto", "dport", "sport"};
    const std::size_t named = std::min(line.find_first_of("{;"), line.size());
    const auto placed = split_words(line.substr(0, named));
    Words columns(placed.begin(), placed.end());
    std::string rest(line.substr(named));
    std::replace_if(rest.begin(), rest.end(), [](char c) { return c == '{' || c == '}' || c == ';' || c == ','; }, ' ');
    for (const std::string_view assignment : split_words(rest)) {
        const std::size_t equals = assignment.find('=');
        const auto name = std::find(names.begin(), names.end(), assignment.substr(0, equals));
        const auto number = static_cast<std::size_t>(name - names.begin());
        columns.resize(std::max(columns.size(), number + 1), "-");
        columns[number] = name == names.end() || equals == std::string_view::npos
                              ? std::string(assignment) : std::string(assignment.substr(equals + 1));
    }
    return columns;
}

// "TYPE NET1 INTERFACE NET2 [NET3 [PROTO ...]]", TYPE being DNAT or SNAT, perhaps with the chain of a stateless rule.
void read_netmap_line(Reading& reading, Place at, const std::string& comment, const Words& words) {
    const std::string type = word_at(words, 0).substr(0, word_at(words, 0).find(':'));
    if (words.size() < 4 || (type != "SNAT" && type != "DNAT")) {
        reading.leave(std::move(at), fmt::format("{} is no line of netmap: legal is TYPE NET1 INTERFACE NET2",
                                                 in_quotes(joined_words(words, 0))));
        return;
    }
    reading.recognized = true;
    const bool outbound = type == "SNAT";
    Binding rule{std::move(at)};
    rule.direction = outbound ? Direction::outbound : Direction::inbound;
    rule.internal = words[outbound ? 1 : 3];
    rule.external = words[outbound ? 3 : 1];
    rule.comment = comment;
    rule.interfaces.push_back(words[2]);
    const bool has_more = std::any_of(words.begin() + 4, words.end(), [](const std::string& word) {
        return word != "-";
    });
    if (has_more) {
        rule.object(condition(words, 4));
    } else if (word_at(words, 0).ends_with(":O")) {
        rule.object("is about what this machine itself sends: pairs translate what it forwards");
    }
    reading.take(rule);
}

}  // namespace

Reading read_shorewall_netmap(std::string_view text) {
    Reading reading;
    std::string comment;
    for_each_joined_line(text, [&](unsigned number, std::string_view line) {
        const std::string_view remark = trimmed(line);
        const Words words = columns_of(line.substr(0, line.find('#')));
        if (words.empty()) {
            return;
        }
        if (words[0] == "COMMENT" || words[0] == "?COMMENT") {
            comment = trimmed(remark.substr(words[0].size()));
        } else if (words[0].starts_with('?')) {
            reading.leave({number}, fmt::format("{} is for Shorewall to read: import what is in force",
                                                in_quotes(words[0])));
        } else {
            read_netmap_line(reading, {number}, comment, words);
        }
    });
    return reading;
}

}  // namespace statnat
