// SPDX-License-Identifier: GPL-2.0-or-later
#include "importers/statements.hpp"

#include "importers/lines.hpp"
#include "printable.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace statnat {
namespace {

// ---- IOS

class Ios {
public:
    Reading read(std::string_view text);

private:
    void read_line(unsigned number, const Words& words);
    void read_static(unsigned number, const Words& words);
    void read_npt(unsigned number, const Words& words);

    Reading reading_;
    std::string interface_;
};

// "LOCAL GLOBAL [OPTION...]" or "network LOCAL GLOBAL MASK [OPTION...]"
void Ios::read_static(unsigned number, const Words& words) {
    const bool is_network = word_at(words, 0) == "network";
    const std::size_t first = is_network ? 1 : 0;
    std::size_t next = first + 2;
    Binding rule;
    rule.at.line = number;
    rule.internal = word_at(words, first);
    rule.external = word_at(words, first + 1);
    if (is_network) {
        next += word_at(words, next) == "mask" ? 1 : 0;
        std::string mask = word_at(words, next++);
        mask = mask.starts_with('/') ? mask : "/" + mask;
        rule.internal += mask;
        rule.external += mask;
    } else if (!Address::parse(rule.internal) || rule.external == "interface") {
        rule.object(condition(words, 0));
    }
    static constexpr std::array<std::string_view, 6> harmless{"extendable", "no-alias", "no-payload", "forced",
                                                              "add-route", "reversible"};
    for (; next < words.size(); ++next) {
        if (words[next] == "vrf" || words[next] == "redundancy") {
            rule.interfaces.push_back(words[next] + " " + word_at(words, next + 1));
            ++next;
        } else if (words[next] == "mapping-id") {  // between two routers that stand in for each other
            ++next;
        } else if (words[next] != "match-in-vrf" &&
                   std::find(harmless.begin(), harmless.end(), words[next]) == harmless.end()) {
            rule.object(condition(words, next));
        }
    }
    reading_.take(rule);
}

// "inside PREFIX outside PREFIX", in either order
void Ios::read_npt(unsigned number, const Words& words) {
    Binding rule;
    rule.at.line = number;
    rule.npt = true;
    for (std::size_t i = 0; i + 1 < words.size(); i += 2) {
        if (words[i] == "inside" || words[i] == "outside") {
            (words[i] == "inside" ? rule.internal : rule.external) = words[i + 1];
        } else if (words[i] == "vrf") {
            rule.interfaces.push_back("vrf " + words[i + 1]);
        } else {
            rule.object(condition(words, i));
        }
    }
    reading_.take(rule);
}

void Ios::read_line(unsigned number, const Words& words) {
    if (begins_with(words, {"interface"})) {
        interface_ = word_at(words, 1);
        return;
    }
    const bool is_nat = begins_with(words, {"ip", "nat"});
    if (!is_nat && !begins_with(words, {"nat66"})) {
        return;
    }
    reading_.recognized = true;
    const Words rest(words.begin() + (is_nat ? 2 : 1), words.end());
    if (begins_with(words, {"ip", "nat", "inside", "source", "static"})) {
        read_static(number, Words(words.begin() + 5, words.end()));
    } else if (begins_with(words, {"nat66", "prefix"})) {
        read_npt(number, Words(words.begin() + 2, words.end()));
    } else if (rest.size() == 1 && (rest[0] == "inside" || rest[0] == "outside")) {
        reading_.note_interface(interface_, {number});
    } else {
        reading_.leave({number}, fmt::format("{} is not inside source static: it is no pair",
                                             in_quotes(joined_words(rest, 0))));
    }
}

Reading Ios::read(std::string_view text) {
    for_each_line(text, [&](unsigned number, std::string_view line) {
        const auto words = split_words(line);
        read_line(number, Words(words.begin(), words.end()));
    });
    return std::move(reading_);
}

// ---- Shorewall

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

// ---- pf

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

// ---- Jool

// A mapping has two prefixes, whatever stands between them.
std::vector<Prefix> prefixes_of(std::string_view line) {
    std::vector<Prefix> prefixes;
    while (!line.empty()) {
        constexpr std::string_view between = " \t|,;\"'{}[]";
        const std::size_t first = std::min(line.find_first_not_of(between), line.size());
        line.remove_prefix(first);
        const std::string_view word = line.substr(0, line.find_first_of(between));
        line.remove_prefix(word.size());
        if (const auto prefix = side_of(word)) {
            prefixes.push_back(*prefix);
        }
    }
    return prefixes;
}

}  // namespace

Reading read_cisco(std::string_view text) {
    return Ios().read(text);
}

Reading read_shorewall_netmap(std::string_view text) {
    Reading reading;
    std::string comment;
    for_each_line(text, [&](unsigned number, std::string_view line) {
        const std::string_view remark = trimmed(line);
        const auto views = split_words(line.substr(0, line.find('#')));
        const Words words(views.begin(), views.end());
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

Reading read_pf_binat(std::string_view text) {
    return Pf().read(text);
}

Reading read_jool_eam(std::string_view text) {
    Reading reading;
    std::map<Prefix, std::pair<Prefix, unsigned>> waiting;  // by the IPv6 prefix
    for_each_line(text, [&](unsigned number, std::string_view line) {
        auto prefixes = prefixes_of(line);
        std::sort(prefixes.begin(), prefixes.end());
        if (prefixes.size() != 2 || prefixes[0].address.family == prefixes[1].address.family) {
            return;
        }
        reading.recognized = true;
        const auto [known, is_new] = waiting.emplace(prefixes[1], std::pair(prefixes[0], number));
        if (!is_new) {
            Finding finding;
            finding.at.line = known->second.second;
            finding.internal = known->second.first;
            finding.external = prefixes[0];
            reading.findings.push_back(std::move(finding));
            waiting.erase(known);
        }
    });
    for (const auto& [ipv6, other] : waiting) {
        reading.leave({other.second}, fmt::format("{} is made IPv4, {}: a pair is of one family, so only two mappings "
                                                  "of one IPv6 prefix, of two translators, are one",
                                                  ipv6.short_text(), other.first.short_text()));
    }
    return reading;
}

}  // namespace statnat
