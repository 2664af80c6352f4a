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
    void read_binat(unsigned number, const Words& words);
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

// "binat [pass] [log] on INTERFACE [inet] [from INTERNAL] [to any] -> EXTERNAL", or "... binat-to EXTERNAL"
void Pf::read_binat(unsigned number, const Words& words) {
    static constexpr std::array<std::string_view, 9> harmless{"pass", "match", "binat", "log", "inet", "inet6",
                                                              "quick", "in", "out"};
    static constexpr std::array<std::string_view, 5> with_value{"on", "from", "to", "->", "binat-to"};
    const auto is_of = [](const auto& list, const std::string& word) {
        return std::find(list.begin(), list.end(), word) != list.end();
    };
    Binding rule{{number}};
    for (std::size_t i = 0; i < words.size(); ++i) {
        const std::string& word = words[i];
        const std::string value = word_at(words, i + 1);
        if (word == "on") {
            rule.interfaces.push_back(value);
        } else if (word == "from") {
            rule.internal = value;
        } else if (word == "->" || word == "binat-to") {
            rule.external = value;
        } else if (word == "to" && value != "any") {
            rule.object(condition(words, i) + " (but see exempt-destinations)");
        } else if (word != "to" && !is_of(harmless, word)) {
            rule.object(condition(words, i));
        }
        i += is_of(with_value, word) ? 1 : 0;
    }
    reading_.take(rule);
}

void Pf::read_line(unsigned number, std::string_view line) {
    const std::size_t equals = line.find('=');
    const std::string_view name = trimmed(line.substr(0, equals));
    if (equals != std::string_view::npos && !name.empty() && name.find_first_of(" \t\"'(){}<>!") == std::string::npos) {
        macros_[std::string(name)] = joined_words(split_quoted_words(line.substr(equals + 1)), 0);
        return;
    }
    Words words = split_quoted_words(line.substr(0, line.find('#')));
    expand(words);
    const auto says = [&](std::string_view word) { return std::find(words.begin(), words.end(), word) != words.end(); };
    const std::string first = word_at(words, 0);
    if (first == "no" && (says("binat") || says("nat") || says("rdr"))) {
        reading_.recognized = true;
        reading_.leave({number}, "exempts, and translates nothing: exempt-destinations can exempt from pairs");
    } else if (first == "binat" || says("binat-to")) {
        reading_.recognized = true;
        read_binat(number, words);
    } else if (first == "nat" || first == "rdr" || says("nat-to") || says("rdr-to") || says("af-to")) {
        reading_.recognized = true;
        reading_.leave({number}, fmt::format("{} is no binat, and no pair", in_quotes(joined_words(words, 0))));
    } else if (first == "nat-anchor" || first == "rdr-anchor" || first == "binat-anchor") {
        reading_.recognized = true;
        reading_.leave({number}, "what is in the anchor is not here: import it by itself");
    }
}

Reading Pf::read(std::string_view text) {
    std::string whole;
    unsigned begin = 0;
    for_each_line(text, [&](unsigned number, std::string_view line) {
        begin = whole.empty() ? number : begin;
        whole += line;
        if (whole.ends_with('\\')) {
            whole.back() = ' ';
            return;
        }
        read_line(begin, trimmed(whole));
        whole.clear();
    });
    read_line(begin, trimmed(whole));
    return std::move(reading_);
}

}  // namespace

Reading read_pf_binat(std::string_view text) {
    return Pf().read(text);
}

}  // namespace statnat
