// SPDX-License-Identifier: GPL-2.0-or-later
#include "formats/iptables_save.hpp"

#include "importers/jumps.hpp"
#include "importers/lines.hpp"
#include "printable.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace statnat {
namespace {

using ChainPath = std::pair<std::string, std::string>;  // table and name

struct SavedRule {
    unsigned line = 0;
    ChainPath chain;
    std::optional<std::string> source;       // which it is for
    std::optional<std::string> destination;
    std::vector<std::string> interfaces;
    std::string condition;                   // the first that no pair can have
    std::string comment;
    std::string target;
    std::map<std::string, std::string> values;  // of the target's options
};

// A target that translates, and in which option it says to what.
struct Target {
    std::string_view name;
    Direction direction;  // both: as the chain has it, or as the rule says
    std::string_view option;
};

constexpr std::array<Target, 8> targets{{
    {"SNAT", Direction::outbound, "--to-source"},
    {"DNAT", Direction::inbound, "--to-destination"},
    {"NETMAP", Direction::both, "--to"},
    {"RAWSNAT", Direction::outbound, "--to-source"},
    {"RAWDNAT", Direction::inbound, "--to-destination"},
    {"SNPT", Direction::outbound, "--dst-pfx"},
    {"DNPT", Direction::inbound, "--dst-pfx"},
    {"STATIC-2-WAY-NAT", Direction::both, "--mapaddr"},
}};

// Of ports alone.
constexpr std::array<std::string_view, 2> at_random{"--random", "--random-fully"};

constexpr std::array<std::string_view, 4> targets_of_many{"MASQUERADE", "REDIRECT", "SAME", "TPROXY"};

const Target* find_target(std::string_view name) {
    const auto target =
        std::find_if(targets.begin(), targets.end(), [&](const Target& one) { return one.name == name; });
    return target == targets.end() ? nullptr : &*target;
}

// From words to a rule. An option and its value are two words; what is between "-m NAME" and the next option that is
// known here are conditions.
class RuleReader {
public:
    RuleReader(unsigned line, std::string table, const std::vector<std::string>& words) : words_(words) {
        rule_.line = line;
        rule_.chain.first = std::move(table);
    }

    SavedRule read();

private:
    std::string value() { return at_ + 1 < words_.size() ? words_[++at_] : ""; }
    void read_option();
    void object(const std::string& condition) {
        if (rule_.condition.empty()) {
            rule_.condition = condition;
        }
    }

    const std::vector<std::string>& words_;
    std::size_t at_ = 0;
    SavedRule rule_;
};

SavedRule RuleReader::read() {
    for (; at_ < words_.size(); ++at_) {
        read_option();
    }
    return std::move(rule_);
}

void RuleReader::read_option() {
    const std::string& word = words_[at_];
    static constexpr std::array<std::string_view, 1> harmless{"--persistent"};
    if (word == "-A") {
        rule_.chain.second = value();
    } else if (word == "-s") {
        rule_.source = value();
    } else if (word == "-d") {
        rule_.destination = value();
    } else if (word == "-i" || word == "-o") {
        rule_.interfaces.push_back(value());
    } else if (word == "-j" || word == "-g") {
        rule_.target = value();
    } else if (word == "-m" && at_ + 1 < words_.size() && words_[at_ + 1] == "comment") {
        value();
    } else if (word == "--comment") {
        rule_.comment = value();
    } else if (word == "!") {
        const std::string negated = value();
        object(fmt::format("! {} {}", negated, value()));
    } else if (!rule_.target.empty() && word.starts_with("--") && !has(harmless, word)) {
        const bool has_value = at_ + 1 < words_.size() && !words_[at_ + 1].starts_with("-");
        rule_.values[word] = has_value ? value() : "";
    } else if (!has(harmless, word)) {
        object(word + (word.starts_with("-") && at_ + 1 < words_.size() ? " " + words_[at_ + 1] : ""));
    }
}

std::string in_table(const SavedRule& rule, std::string_view chain) {
    return fmt::format("{} {}", rule.chain.first, chain);
}

class Save {
public:
    Reading read(std::string_view text);

private:
    void read_line(unsigned number, std::string_view line);
    void judge(const SavedRule& rule);
    void leave(const SavedRule& rule, std::string sentence) { reading_.leave({rule.line}, std::move(sentence)); }
    bool is_for_all(const SavedRule& rule);
    void translate(const SavedRule& rule, const Target& target);
    std::optional<std::string> translated(const SavedRule& rule, const Target& target, bool outbound);
    void take_both_ways(const SavedRule& rule, std::string_view addresses);
    void take(const SavedRule& rule, Finding finding, std::string_view internal, std::string_view external);
    void collect_jumps();

    Reading reading_;
    std::string table_;
    std::vector<SavedRule> rules_;
    std::set<ChainPath> chains_;
    Jumps jumps_;
};

void Save::read_line(unsigned number, std::string_view line) {
    line = trimmed(line);
    if (line.starts_with('[')) {  // counters, of iptables-save -c
        line = trimmed(line.substr(std::min(line.find(']'), line.size() - 1) + 1));
    }
    if (line.starts_with('*')) {
        table_ = line.substr(1);
        reading_.recognized = true;
    } else if (line.starts_with("-A ") && !table_.empty()) {
        rules_.push_back(RuleReader(number, table_, split_quoted_words(line)).read());
    } else if (line.starts_with(':') && !table_.empty()) {
        chains_.emplace(table_, line.substr(1, line.find(' ') - 1));
    } else if (line.starts_with("# Warning: ") || line.starts_with("# Table ")) {  // of what is not printed
        reading_.leave({number}, fmt::format("{}: rules that are not here are not imported", in_quotes(line)));
    } else if (!line.empty() && line.front() != '#' && line != "COMMIT") {
        reading_.leave({number}, fmt::format("{} is no line of iptables-save", in_quotes(line)));
    }
}

Reading Save::read(std::string_view text) {
    for_each_line(text, [&](unsigned number, std::string_view line) { read_line(number, line); });
    collect_jumps();
    for (const SavedRule& rule : rules_) {
        judge(rule);
    }
    return std::move(reading_);
}

void Save::collect_jumps() {
    for (const SavedRule& rule : rules_) {
        for (const std::string_view forwarded : {"PREROUTING", "FORWARD", "POSTROUTING"}) {
            jumps_.add_base(in_table(rule, forwarded), false);
        }
        for (const std::string_view local : {"INPUT", "OUTPUT"}) {
            jumps_.add_base(in_table(rule, local), true);
        }
        const bool for_some = !rule.condition.empty() || rule.source || rule.destination;
        jumps_.add(in_table(rule, rule.target), {{rule.line}, in_table(rule, rule.chain.second), for_some,
                                                 rule.interfaces});
    }
}

void Save::judge(const SavedRule& rule) {
    const bool only_translates = rule.chain.first == "nat" || rule.chain.first == "rawpost";
    const Target* const target = find_target(rule.target);
    if (target) {
        if (is_for_all(rule)) {
            translate(rule, *target);
        }
    } else if (has(targets_of_many, rule.target)) {
        leave(rule, fmt::format("{} gives many addresses one, or one by its ports: no pair does", rule.target));
    } else if (only_translates && chains_.count({rule.chain.first, rule.target}) == 0) {
        leave(rule, fmt::format("{} translates nothing: what it exempts, exempt-destinations can exempt from pairs",
                                rule.target.empty() ? "a rule without a target" : rule.target));
    }
}

// Whether a rule does what it does to all packets of its addresses.
bool Save::is_for_all(const SavedRule& rule) {
    if (!rule.condition.empty()) {
        leave(rule, fmt::format("has the condition {}, which no pair has{}", in_quotes(rule.condition),
                                rule.condition.starts_with("! -d ") ? " (but see exempt-destinations)" : ""));
    } else if (rule.chain.second == "OUTPUT" || rule.chain.second == "INPUT") {
        leave(rule, fmt::format("{} is about what this machine itself sends or gets: pairs translate what it forwards",
                                rule.chain.second));
    } else if (const auto why = jumps_.why_not_reached(in_table(rule, rule.chain.second))) {
        leave(rule, *why + ": a pair would be for all");
    } else {
        return true;
    }
    return false;
}

// "INTERNAL-EXTERNAL" for "--type src", else the other way around; it looks at no other condition.
void Save::take_both_ways(const SavedRule& rule, std::string_view addresses) {
    const std::size_t between = addresses.find('-');
    if (rule.values.count("--proto") || rule.values.count("--mapport") || between == std::string_view::npos) {
        leave(rule, "bound to a protocol or ports: a pair translates all that an address sends and gets");
        return;
    }
    std::string_view internal = addresses.substr(0, between);
    std::string_view external = addresses.substr(between + 1);
    const auto type = rule.values.find("--type");
    if (type != rule.values.end() && type->second == "dst") {
        std::swap(internal, external);
    }
    Finding finding;
    finding.at.line = rule.line;
    finding.comment = rule.comment;
    take(rule, std::move(finding), internal, external);
}

void Save::take(const SavedRule& rule, Finding finding, std::string_view internal, std::string_view external) {
    const std::size_t known = reading_.findings.size();
    reading_.take(std::move(finding), internal, external);
    if (reading_.findings.size() != known) {
        for (const std::string& interface : rule.interfaces) {
            reading_.note_interface(interface, {rule.line});
        }
        jumps_.note_interfaces(in_table(rule, rule.chain.second), reading_);
    }
}

bool is_npt(const Target& target) {
    return target.name == "SNPT" || target.name == "DNPT";
}

Direction direction_of(const SavedRule& rule, const Target& target) {
    if (target.direction != Direction::both) {
        return target.direction;
    }
    const bool outbound = rule.chain.second == "POSTROUTING" ||
                          (rule.chain.second != "PREROUTING" && rule.source && !rule.destination);
    return outbound ? Direction::outbound : Direction::inbound;
}

// Which addresses it gives others, as the rule has them; nothing where it cannot be a pair, which is said.
std::optional<std::string> Save::translated(const SavedRule& rule, const Target& target, bool outbound) {
    for (const auto& [option, value] : rule.values) {
        if (option != target.option && !(is_npt(target) && option == "--src-pfx") && !has(at_random, option)) {
            leave(rule, fmt::format("has {}, which no pair has", option));
            return std::nullopt;
        }
    }
    if (const auto& peer = outbound ? rule.destination : rule.source) {
        leave(rule, fmt::format("has the condition {}, which no pair has", in_quotes(*peer)));
        return std::nullopt;
    }
    const auto& matched = outbound ? rule.source : rule.destination;
    if (!is_npt(target)) {
        if (!matched) {
            leave(rule, "is for all addresses: a pair is for one, or one prefix");
        }
        return matched;
    }
    const auto given = rule.values.find("--src-pfx");
    const std::string prefix = given == rule.values.end() ? "" : given->second;
    const auto covering = matched ? side_of(*matched) : std::nullopt;
    const auto covered = side_of(prefix);
    if (covering && covered && !covering->covers(*covered)) {
        leave(rule, fmt::format("is for {} alone: a pair is for all of {}", covering->text(), covered->text()));
        return std::nullopt;
    }
    return prefix;
}

void Save::translate(const SavedRule& rule, const Target& target) {
    const auto to = rule.values.find(std::string(target.option));
    if (to == rule.values.end() || to->second.empty()) {
        leave(rule, fmt::format("{} without {}", target.name, target.option));
        return;
    }
    if (target.name == "STATIC-2-WAY-NAT") {
        take_both_ways(rule, to->second);
        return;
    }
    Finding finding;
    finding.at.line = rule.line;
    finding.comment = rule.comment;
    finding.npt = is_npt(target);
    finding.direction = direction_of(rule, target);
    for (const std::string_view option : at_random) {
        if (rule.values.count(std::string(option)) != 0) {
            finding.untaken = fmt::format("{}: a pair leaves ports as they are", option);
        }
    }
    const bool outbound = finding.direction == Direction::outbound;
    if (const auto from = translated(rule, target, outbound)) {
        take(rule, std::move(finding), outbound ? *from : to->second, outbound ? to->second : *from);
    }
}

}  // namespace

Reading read_iptables_save(std::string_view text) {
    return Save().read(text);
}

}  // namespace statnat
