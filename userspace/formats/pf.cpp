// SPDX-License-Identifier: GPL-2.0-or-later
#include "formats/pf.hpp"

#include "importers/lines.hpp"
#include "printable.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <string>

#include <fmt/format.h>

namespace statnat {
namespace {

class Pf {
public:
    Reading read(std::string_view text);

private:
    void read_line(unsigned number, std::string_view line);
    void read_rule(unsigned number, const Words& words);
    void take(unsigned number, const Words& words);
    void expand(Words& words) const;

    Reading reading_;
    std::map<std::string, std::string> macros_;
};

// Of macros in macros, as many as there can be without one that contains itself.
void Pf::expand(Words& words) const {
    constexpr unsigned deepest = 8;
    for (std::string& word : words) {
        for (unsigned i = 0; i < deepest && word.starts_with('$'); ++i) {
            const auto macro = macros_.find(word.substr(1));
            if (macro == macros_.end()) {
                break;
            }
            word = macro->second;
        }
    }
}

// What a rule says of addresses, before it is known which of them is the internal one.
struct Sides {
    Binding rule;
    std::string from;
    std::string to;
    std::string becomes;
    bool keeps_ports = false;
};

// The word at `at`, or as many as are in braces, which moves `at` to the last.
std::string value_at(const Words& words, std::size_t& at) {
    std::string value = word_at(words, at);
    if (value == "!") {
        value += " " + word_at(words, ++at);
    }
    if (value.starts_with('{')) {
        while (!value.ends_with('}') && at + 1 < words.size()) {
            value += " " + words[++at];
        }
    }
    return value;
}

// "[pass|match|binat] [log] [in|out] on INTERFACE [inet] [from ADDRESS] [to ADDRESS] [OPTION...] -> ADDRESS"; in place
// of the arrow, nat-to, rdr-to or binat-to.
Sides sides_of(unsigned number, const Words& words) {
    static constexpr std::array<std::string_view, 12> harmless{"pass", "match", "binat", "log", "inet", "inet6",
                                                               "quick", "in", "out", "bitmask", "allow-opts",
                                                               "static-port"};
    static constexpr std::array<std::string_view, 6> harmless_with_value{"flags", "label", "tag",
                                                                         "queue", "keep", "modulate"};
    static constexpr std::array<std::string_view, 4> becomes{"->", "nat-to", "rdr-to", "binat-to"};
    Sides sides{{{number}}, "", "", "", false};
    for (std::size_t i = 0; i < words.size(); ++i) {
        const std::string& word = words[i];
        const std::size_t at = i;
        sides.keeps_ports = sides.keeps_ports || word == "static-port";
        if (word == "on") {
            const std::string names = value_at(words, ++i);
            for (const std::string_view name : split_words(names)) {
                if (name != "{" && name != "}") {
                    sides.rule.interfaces.emplace_back(name);
                }
            }
        } else if (word == "from" || word == "to") {
            (word == "from" ? sides.from : sides.to) = value_at(words, ++i);
        } else if (has(becomes, word)) {
            sides.becomes = value_at(words, ++i);
        } else if (has(harmless_with_value, word)) {
            ++i;
        } else if (!has(harmless, word)) {
            sides.rule.object(condition(words, at));
        }
    }
    return sides;
}

// A binat; or a half of one, which OpenBSD makes two rules of and prints them.
void Pf::take(unsigned number, const Words& words) {
    Sides sides = sides_of(number, words);
    const bool is_inbound = has(words, "rdr-to");
    const bool is_outbound = has(words, "nat-to");
    sides.rule.direction = is_inbound    ? Direction::inbound
                           : is_outbound ? Direction::outbound
                                         : Direction::both;
    std::string& other_end = is_inbound ? sides.from : sides.to;
    if (!other_end.empty() && other_end != "any") {
        sides.rule.object(fmt::format("has {}, which no pair has (but see exempt-destinations)",
                                      in_quotes((is_inbound ? "from " : "to ") + other_end)));
    }
    if ((is_inbound && !has(words, "in")) || (is_outbound && (!has(words, "out") || !sides.keeps_ports)) ||
        ((is_inbound || is_outbound) && !sides.rule.why_not.empty())) {
        reading_.leave({number}, fmt::format("{} is no binat, and no pair", in_quotes(joined_words(words, 0))));
        return;
    }
    sides.rule.internal = is_inbound ? sides.becomes : sides.from;
    sides.rule.external = is_inbound ? sides.to : sides.becomes;
    reading_.take(sides.rule);
}

void Pf::read_rule(unsigned number, const Words& words) {
    static constexpr std::array<std::string_view, 3> translators{"nat", "rdr", "binat"};
    static constexpr std::array<std::string_view, 3> taken{"nat-to", "rdr-to", "binat-to"};
    static constexpr std::array<std::string_view, 5> anchors{"anchor", "load", "nat-anchor", "rdr-anchor",
                                                             "binat-anchor"};
    const auto says_one_of = [&](const auto& list) {
        return std::any_of(list.begin(), list.end(), [&](std::string_view word) { return has(words, word); });
    };
    const std::string first = word_at(words, 0);
    if (first == "no" && says_one_of(translators)) {
        reading_.leave({number}, "exempts, and translates nothing: exempt-destinations can exempt from pairs");
    } else if (first == "binat" || says_one_of(taken)) {
        take(number, words);
    } else if (first == "nat" || first == "rdr" || has(words, "af-to")) {
        reading_.leave({number}, fmt::format("{} is no binat, and no pair", in_quotes(joined_words(words, 0))));
    } else if (has(anchors, first)) {
        reading_.leave({number}, "what is in the anchor is not here: import it by itself");
    } else if (first == "include") {
        reading_.leave({number}, "what is in the other file is not here: import it by itself");
    } else {
        return;
    }
    reading_.recognized = true;
}

void Pf::read_line(unsigned number, std::string_view line) {
    line = trimmed(line.substr(0, line.find('#')));
    const std::size_t equals = line.find('=');
    const std::string_view name = trimmed(line.substr(0, equals));
    if (equals != std::string_view::npos && !name.empty() && name.find_first_of(" \t\"'(){}<>!") == std::string::npos) {
        macros_[std::string(name)] = joined_words(split_quoted_words(line.substr(equals + 1)), 0);
        return;
    }
    Words words = split_quoted_words(line);
    expand(words);
    read_rule(number, words);
}

Reading Pf::read(std::string_view text) {
    for_each_joined_line(text, [&](unsigned number, std::string_view line) { read_line(number, line); });
    return std::move(reading_);
}

}  // namespace

Reading read_pf_binat(std::string_view text) {
    return Pf().read(text);
}

}  // namespace statnat
