// SPDX-License-Identifier: GPL-2.0-or-later
#include "formats/cisco.hpp"

#include "importers/lines.hpp"
#include "printable.hpp"

#include <algorithm>
#include <array>
#include <string>

#include <fmt/format.h>

namespace statnat {
namespace {

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
    if (begins_with(words, {"nat64"}) || begins_with(words, {"ipv6", "nat"})) {
        reading_.recognized = true;
        reading_.leave({number}, between_families(joined_words(words, 0)));
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

}  // namespace

Reading read_cisco(std::string_view text) {
    return Ios().read(text);
}

}  // namespace statnat
