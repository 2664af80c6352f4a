// SPDX-License-Identifier: GPL-2.0-or-later
// Of Junos and VyOS a rule is several lines, which may stand anywhere.
#include "formats/routers.hpp"

#include "importers/lines.hpp"
#include "printable.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace statnat {
namespace {

// By their names, in the order in which they begin.
class Rules {
public:
    Binding& at(const std::string& name, unsigned line) {
        const auto [number, is_new] = numbers_.emplace(name, rules_.size());
        if (is_new) {
            rules_.emplace_back().at.line = line;
        }
        return rules_[number->second];
    }
    const std::vector<Binding>& all() const { return rules_; }

private:
    std::map<std::string, std::size_t> numbers_;
    std::vector<Binding> rules_;
};

// ---- VyOS

void read_vyos_rule(Binding& rule, const std::string& kind, const Words& words) {
    const std::string& key = words[0];
    const std::string detail = word_at(words, 1);
    const std::string value = word_at(words, 2);
    const bool is_address = detail == "address" || detail == "prefix";
    const bool is_source = kind == "source";
    if (key == "translation" && is_address && value == "masquerade") {
        rule.object("masquerade gives many addresses one: no pair does");
    } else if (key == "translation" && is_address) {
        (is_source ? rule.external : rule.internal) = value;
    } else if (key == (is_source ? "source" : "destination") && is_address) {
        (is_source ? rule.internal : rule.external) = value;
    } else if (key == "inbound-interface" || key == "outbound-interface") {
        const std::string& name = words.back();
        if (name != "any" && words.size() > 1) {
            rule.interfaces.push_back(name);
        }
    } else if (key == "description") {
        rule.comment = detail;
    } else if (key == "disable") {  // says more than what the rule would do, or what it is for
        rule.why_not = "is disabled";
    } else if (key == "exclude") {
        rule.why_not = "exempts, and translates nothing: exempt-destinations can exempt from pairs";
    } else if (key == "translation" && detail == "options" && value == "address-mapping") {
        // which of many addresses: there is one
    } else if (key != "log" && (key != "protocol" || detail != "all")) {
        rule.object(condition(words, 0));
    }
}

// ---- Junos

class Junos {
public:
    Reading read(std::string_view text);

private:
    void read_line(unsigned number, const Words& words);
    void read_static(unsigned number, const Words& words);
    void read_match(Binding& rule, const Words& words);
    void read_then(Binding& rule, const Words& words);
    void read_address(const Words& words);
    bool read_inactive(unsigned number, const Words& words);
    std::string by_name(const std::string& name, Binding& rule) const;

    Reading reading_;
    Rules rules_;
    std::map<std::string, std::string> sets_;  // of rules, by their names
    std::map<std::string, std::vector<std::string>> from_;  // which interfaces or zones rules of a set are for
    std::map<std::string, std::string> book_;  // of all zones; empty: of several addresses
    std::map<std::string, unsigned> inactive_;  // "RULE-SET", or "RULE-SET RULE"; "": all
};

// What a rule is for, behind "match".
void Junos::read_match(Binding& rule, const Words& words) {
    const std::string key = word_at(words, 1);
    const std::string value = word_at(words, 2);
    if (key == "destination-address") {
        rule.external = value;
    } else if (key == "destination-address-name") {
        rule.external = "@" + value;
    } else if (key != "source-address" || (value != "0.0.0.0/0" && value != "::/0")) {
        rule.object(condition(words, 1));
    }
}

// "then static-nat prefix 10.0.0.2/32"
void Junos::read_then(Binding& rule, const Words& words) {
    const std::string key = word_at(words, 2);
    const std::string value = word_at(words, 3);
    if (word_at(words, 1) != "static-nat" || value.empty() || value == "mapped-port") {
        rule.object(condition(words, 1));
        return;
    }
    if (value == "routing-instance" || word_at(words, 4) == "routing-instance") {
        rule.interfaces.push_back("routing-instance " + words.back());
    } else if (words.size() > 4) {
        rule.object(condition(words, 4));
    }
    if (value == "routing-instance") {
        return;
    }
    if (key == "prefix" || key == "nptv6-prefix") {
        rule.internal = value;
    } else if (key == "prefix-name" || key == "nptv6-prefix-name") {
        rule.internal = "@" + value;
    } else {
        rule.object(condition(words, 1));
    }
    rule.npt = rule.npt || key.starts_with("nptv6");
}

// Behind "static": "rule-set NAME ...".
void Junos::read_static(unsigned number, const Words& words) {
    const std::string set = word_at(words, 1);
    const std::string key = word_at(words, 2);
    if (key == "from") {
        from_[set].push_back(joined_words(words, 3));
    } else if (key == "rule" && words.size() > 4) {
        const std::string name = set + " " + words[3];
        Binding& rule = rules_.at(name, number);
        sets_[name] = set;
        const Words rest(words.begin() + 4, words.end());
        if (rest[0] == "match") {
            read_match(rule, rest);
        } else if (rest[0] == "then") {
            read_then(rule, rest);
        } else if (rest[0] == "description") {
            rule.comment = word_at(rest, 1);
        } else {
            rule.object(condition(rest, 0));
        }
    } else if (key != "description") {
        reading_.leave({number}, condition(words, 0));
    }
}

// Behind "address": "NAME PREFIX", or a name and what has more than one address, or none; and descriptions.
void Junos::read_address(const Words& words) {
    const std::string kind = word_at(words, 1);
    if (words.size() < 2 || kind == "description") {
        return;
    }
    const bool is_other = kind == "range-address" || kind == "dns-name" || kind == "wildcard-address";
    const std::string value = is_other ? joined_words(words, 2) : kind;
    const auto [known, is_new] = book_.emplace(words[0], value);
    if (!is_new && known->second != value) {
        known->second.clear();
    }
}

// "deactivate security nat static", what contains it, and what it contains.
bool Junos::read_inactive(unsigned number, const Words& words) {
    static const Words all{"deactivate", "security", "nat", "static"};
    if (!begins_with(words, {"deactivate"})) {
        return false;
    }
    if (words.size() <= all.size() && std::equal(words.begin(), words.end(), all.begin())) {
        inactive_.emplace("", number);
    } else if (begins_with(words, {"deactivate", "security", "nat", "static", "rule-set"})) {
        const std::string rule = word_at(words, 6) == "rule" ? " " + word_at(words, 7) : "";
        inactive_.emplace(word_at(words, 5) + rule, number);
    }
    return true;
}

void Junos::read_line(unsigned number, const Words& words) {
    static constexpr std::array<std::string_view, 2> nat{"security", "nat"};
    if (read_inactive(number, words)) {
        return;
    }
    if (begins_with(words, {"set", "security", "address-book"}) && word_at(words, 4) == "address") {
        read_address({words.begin() + 5, words.end()});
    } else if (begins_with(words, {"set", "security", "zones", "security-zone"}) &&
               word_at(words, 5) == "address-book" && word_at(words, 6) == "address") {
        read_address({words.begin() + 7, words.end()});
    } else if (begins_with(words, {"set", "security", "nat", "static", "rule-set"})) {
        reading_.recognized = true;
        read_static(number, Words(words.begin() + 4, words.end()));
    } else if (begins_with(words, {"set", "security", "nat", "proxy-arp"}) ||
               begins_with(words, {"set", "security", "nat", "proxy-ndp"})) {
        reading_.leave({number}, "answers for external addresses, which are to be routed to the gateway instead");
    } else if (begins_with(words, {"set", "security", "nat"})) {
        reading_.recognized = true;
        reading_.leave({number}, fmt::format("{} nat is not static: it is no pair", word_at(words, 3)));
    } else if (begins_with(words, {"set", "services", "nat"})) {
        reading_.recognized = true;
        reading_.leave({number}, "is services nat, of which a session begins on one side: it is no pair");
    } else if (const auto of = std::search(words.begin(), words.end(), nat.begin(), nat.end());
               begins_with(words, {"set"}) && of != words.end()) {  // of a system in the system, or a group
        reading_.recognized = true;
        reading_.leave({number}, fmt::format("is of {} {}: import what is in force there by itself",
                                             word_at(words, 1), word_at(words, 2)));
    }
}

std::string Junos::by_name(const std::string& name, Binding& rule) const {
    if (!name.starts_with('@')) {
        return name;
    }
    const auto known = book_.find(name.substr(1));
    if (known == book_.end()) {
        rule.object(fmt::format("names {}, which no address book here has", in_quotes(name.substr(1))));
        return "";
    }
    if (known->second.empty()) {
        rule.object(fmt::format("names {}, which is different addresses in different address books",
                                in_quotes(name.substr(1))));
    }
    return known->second;
}

Reading Junos::read(std::string_view text) {
    for_each_line(text, [&](unsigned number, std::string_view line) {
        read_line(number, split_quoted_words(line));
    });
    for (const auto& [name, set] : sets_) {
        Binding& rule = rules_.at(name, 0);
        const auto from = from_.find(set);
        if (from != from_.end()) {
            rule.interfaces.insert(rule.interfaces.end(), from->second.begin(), from->second.end());
        }
        rule.internal = by_name(rule.internal, rule);
        rule.external = by_name(rule.external, rule);
        for (const std::string& inactive : {std::string(), set, name}) {
            if (const auto found = inactive_.find(inactive); found != inactive_.end()) {
                rule.object(fmt::format("is inactive (line {})", found->second));
            }
        }
    }
    for (const Binding& rule : rules_.all()) {
        reading_.take(rule);
    }
    return std::move(reading_);
}

}  // namespace

Reading read_juniper(std::string_view text) {
    return Junos().read(text);
}

Reading read_vyos(std::string_view text) {
    Reading reading;
    Rules rules;
    for_each_line(text, [&](unsigned number, std::string_view line) {
        const Words words = split_quoted_words(line);
        const bool is_nat = begins_with(words, {"set", "nat"}) || begins_with(words, {"set", "nat66"});
        const std::string kind = word_at(words, 2);
        if (begins_with(words, {"set", "nat64"})) {
            reading.recognized = true;
            reading.leave({number}, between_families(joined_words(words, 1)));
        }
        if (!is_nat) {
            return;
        }
        reading.recognized = true;
        if ((kind != "static" && kind != "source" && kind != "destination") || word_at(words, 3) != "rule") {
            reading.leave({number}, condition(words, 1));
        } else if (words.size() > 5) {
            Binding& rule = rules.at(fmt::format("{} {} {}", words[1], kind, words[4]), number);
            rule.direction = kind == "static"   ? Direction::both
                             : kind == "source" ? Direction::outbound
                                                : Direction::inbound;
            read_vyos_rule(rule, kind, Words(words.begin() + 5, words.end()));
        }
    });
    for (const Binding& rule : rules.all()) {
        reading.take(rule);
    }
    return reading;
}

}  // namespace statnat
