// SPDX-License-Identifier: GPL-2.0-or-later
// A ruleset comes without lines, so that its rules are named by table, chain and handle.
#include "formats/nft_json.hpp"

#include "importers/jumps.hpp"
#include "importers/lines.hpp"
#include "printable.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <jansson.h>

namespace statnat {
namespace {

struct Released {
    void operator()(json_t* value) const { json_decref(value); }
};

std::string text_of(const json_t* value) {
    return json_is_string(value) ? std::string(json_string_value(value), json_string_length(value)) : std::string();
}

std::string text_at(const json_t* object, const char* key) {
    return text_of(json_object_get(object, key));
}

// An object of one member is a statement or an expression, by that name.
std::string kind_of(json_t* value) {
    void* const member = json_object_iter(value);
    return member && json_object_size(value) == 1 ? json_object_iter_key(member) : "";
}

// "10.0.0.2" or {"prefix": {"addr": "10.1.0.0", "len": 24}}; nothing for ranges, sets and the like.
std::optional<std::string> side_text(json_t* value) {
    if (json_t* const element = json_object_get(value, "elem")) {
        value = json_object_get(element, "val");
    }
    const json_t* const prefix = json_object_get(value, "prefix");
    if (json_is_string(value)) {
        return text_of(value);
    }
    return prefix ? std::optional(fmt::format("{}/{}", text_at(prefix, "addr"),
                                              json_integer_value(json_object_get(prefix, "len"))))
                  : std::nullopt;
}

// Of a payload {"protocol": "ip", "field": "saddr"}, which address of a packet it is.
std::optional<Direction> address_of(const json_t* expression) {
    const json_t* const payload = json_object_get(expression, "payload");
    const std::string protocol = text_at(payload, "protocol");
    const std::string field = text_at(payload, "field");
    if (protocol != "ip" && protocol != "ip6") {
        return std::nullopt;
    }
    return field == "saddr"   ? std::optional(Direction::outbound)
           : field == "daddr" ? std::optional(Direction::inbound)
                              : std::nullopt;
}

// A list of one needs no list.
bool has_flag(const json_t* translation, std::string_view flag) {
    const json_t* const flags = json_object_get(translation, "flags");
    for (std::size_t i = 0; i < json_array_size(flags); ++i) {
        if (text_of(json_array_get(flags, i)) == flag) {
            return true;
        }
    }
    return text_of(flags) == flag;
}

struct Chain {
    std::string family;
    std::string table;
    std::string name;

    auto operator<=>(const Chain&) const = default;

    std::string text() const { return fmt::format("{} {} {}", family, table, name); }
};

Chain chain_of(const json_t* object, const char* name) {
    return {text_at(object, "family"), text_at(object, "table"), text_at(object, name)};
}

// A rule, apart from what counts and logs.
struct Rule {
    Place at;
    Chain chain;
    std::string comment;
    std::map<Direction, json_t*> matched;     // addresses that it is for
    std::vector<std::string> interfaces;
    std::string condition;                    // the first that no pair can have
    json_t* translation = nullptr;            // with its name, and how
    std::optional<Direction> direction;
    std::string other;                        // the last statement beside that
    std::string jump;
};

constexpr std::array<std::string_view, 5> silent{"counter", "log", "notrack", "accept", "meter"};

void take_match(Rule& rule, json_t* match) {
    const json_t* const left = json_object_get(match, "left");
    const std::string key = text_at(json_object_get(left, "meta"), "key");
    const auto direction = address_of(left);
    const bool equal = text_at(match, "op") == "==";
    json_t* const right = json_object_get(match, "right");
    static constexpr std::array<std::string_view, 4> interfaces{"iif", "iifname", "oif", "oifname"};
    if (equal && direction && rule.matched.emplace(*direction, right).second) {
        return;
    }
    if (equal && has(interfaces, key) && json_is_string(right)) {
        rule.interfaces.push_back(text_of(right));
    } else if ((!equal || key != "nfproto") && rule.condition.empty()) {
        const json_t* const payload = json_object_get(left, "payload");
        rule.condition = !key.empty() ? key
                         : payload    ? text_at(payload, "protocol") + " " + text_at(payload, "field")
                                      : kind_of(json_object_get(match, "left"));
    }
}

void take_statement(Rule& rule, json_t* statement) {
    const std::string kind = kind_of(statement);
    json_t* const value = json_object_get(statement, kind.c_str());
    if (kind == "match") {
        take_match(rule, value);
    } else if (kind == "snat" || kind == "dnat") {
        rule.translation = value;
        rule.direction = kind == "snat" ? Direction::outbound : Direction::inbound;
    } else if (const auto field = kind == "mangle" ? address_of(json_object_get(value, "key")) : std::nullopt) {
        rule.translation = value;
        rule.direction = field;
    } else if (kind == "jump" || kind == "goto") {
        rule.jump = text_at(value, "target");
    } else if (!has(silent, kind)) {
        rule.other = kind.empty() ? "something unknown" : kind;
    }
}

class Ruleset {
public:
    Reading read(json_t* root);

private:
    void collect(json_t* object);
    Rule rule_of(json_t* object);
    void judge(const Rule& rule);
    bool is_for_all(const Rule& rule);
    void translate(const Rule& rule);
    void take(const Rule& rule, json_t* from, json_t* to, const std::string& comment);
    void take_map(const Rule& rule, json_t* map);
    void leave(const Rule& rule, std::string sentence) { reading_.leave(rule.at, std::move(sentence)); }

    Reading reading_;
    std::map<Chain, json_t*> maps_;
    std::map<Chain, json_t*> base_chains_;
    std::vector<Rule> rules_;
    Jumps jumps_;
};

Rule Ruleset::rule_of(json_t* object) {
    Rule rule;
    rule.chain = chain_of(object, "chain");
    rule.at.name = fmt::format("{} handle {}", rule.chain.text(),
                               json_integer_value(json_object_get(object, "handle")));
    rule.comment = text_at(object, "comment");
    const json_t* const statements = json_object_get(object, "expr");
    for (std::size_t i = 0; i < json_array_size(statements); ++i) {
        take_statement(rule, json_array_get(statements, i));
    }
    return rule;
}

void Ruleset::collect(json_t* object) {
    const std::string kind = kind_of(object);
    json_t* const value = json_object_get(object, kind.c_str());
    if (kind == "map") {
        maps_.emplace(chain_of(value, "name"), value);
    } else if (kind == "chain" && json_object_get(value, "hook")) {
        const Chain chain = chain_of(value, "name");
        const std::string hook = text_at(value, "hook");
        base_chains_.emplace(chain, value);
        jumps_.add_base(chain.text(), hook == "output" || hook == "input");
    } else if (kind == "rule") {
        rules_.push_back(rule_of(value));
    }
}

Reading Ruleset::read(json_t* root) {
    json_t* const objects = json_object_get(root, "nftables");
    reading_.recognized = json_is_array(objects);
    for (std::size_t i = 0; i < json_array_size(objects); ++i) {
        collect(json_array_get(objects, i));
    }
    for (const Rule& rule : rules_) {
        if (!rule.jump.empty()) {
            jumps_.add(Chain{rule.chain.family, rule.chain.table, rule.jump}.text(),
                       {rule.at, rule.chain.text(), !rule.condition.empty() || !rule.matched.empty(), rule.interfaces});
        }
    }
    for (const Rule& rule : rules_) {
        judge(rule);
    }
    return std::move(reading_);
}

bool Ruleset::is_for_all(const Rule& rule) {
    const auto base = base_chains_.find(rule.chain);
    const std::string hook = base == base_chains_.end() ? "" : text_at(base->second, "hook");
    if (!rule.condition.empty() || !rule.other.empty()) {
        leave(rule, fmt::format("has {}, which no pair has",
                                in_quotes(rule.condition.empty() ? rule.other : rule.condition)));
    } else if (hook == "output" || hook == "input") {
        leave(rule, fmt::format("{} is about what this machine itself sends or gets: pairs translate what it forwards",
                                hook));
    } else if (const auto why = jumps_.why_not_reached(rule.chain.text())) {
        leave(rule, *why + ": a pair would be for all");
    } else if (rule.matched.size() > rule.matched.count(*rule.direction)) {
        leave(rule, "is only for some addresses of the other end, which no pair is");
    } else {
        return true;
    }
    return false;
}

void Ruleset::judge(const Rule& rule) {
    const auto base = base_chains_.find(rule.chain);
    const bool only_translates = base != base_chains_.end() && text_at(base->second, "type") == "nat";
    static constexpr std::array<std::string_view, 2> many_to_one{"masquerade", "redirect"};
    if (rule.translation) {
        const std::size_t known = reading_.findings.size();
        if (is_for_all(rule)) {
            translate(rule);
        }
        if (reading_.findings.size() != known) {
            for (const std::string& interface : rule.interfaces) {
                reading_.note_interface(interface, rule.at);
            }
            jumps_.note_interfaces(rule.chain.text(), reading_);
        }
    } else if (has(many_to_one, rule.other)) {
        leave(rule, fmt::format("{} gives many addresses one, or one by its ports: no pair does", rule.other));
    } else if (rule.other == "xt") {
        leave(rule, "is a rule of iptables, which nft does not know: import what iptables-save prints");
    } else if (only_translates && rule.jump.empty()) {
        leave(rule, "translates nothing: what it exempts, exempt-destinations can exempt from pairs");
    }
}

void Ruleset::take(const Rule& rule, json_t* from, json_t* to, const std::string& comment) {
    const auto replaced = side_text(from);
    const auto replacement = side_text(to);
    if (!replaced || !replacement) {
        leave(rule, "is from or to other than one address or one prefix: a pair is of two of them");
        return;
    }
    if (replacement->find('/') != std::string::npos && !has_flag(rule.translation, "netmap")) {
        leave(rule, fmt::format("gives any address of {}: a pair keeps the host bits", in_quotes(*replacement)));
        return;
    }
    Finding finding;
    finding.at = rule.at;
    finding.direction = *rule.direction;
    finding.comment = comment;
    if (has_flag(rule.translation, "random") || has_flag(rule.translation, "fully-random")) {
        finding.untaken = "random: a pair leaves ports as they are";
    }
    const bool outbound = finding.direction == Direction::outbound;
    reading_.take(std::move(finding), outbound ? *replaced : *replacement, outbound ? *replacement : *replaced);
}

void Ruleset::take_map(const Rule& rule, json_t* map) {
    if (address_of(json_object_get(map, "key")) != rule.direction) {
        leave(rule, "has a map that is asked for something else than the address alone");
        return;
    }
    json_t* data = json_object_get(map, "data");
    const std::string name = text_of(data);
    // What a rule asks a map for before it translates by it changes nothing.
    const auto matched = rule.matched.find(*rule.direction);
    if (matched != rule.matched.end() && (name.empty() || text_of(matched->second) != name)) {
        leave(rule, "takes only a part of its map");
        return;
    }
    const auto known = name.starts_with('@')
                           ? maps_.find({rule.chain.family, rule.chain.table, name.substr(1)}) : maps_.end();
    if (name.starts_with('@') && known == maps_.end()) {
        leave(rule, fmt::format("the map {} is not there", in_quotes(name)));
        return;
    }
    data = known != maps_.end() ? json_object_get(known->second, "elem") : json_object_get(data, "set");
    for (std::size_t i = 0; i < json_array_size(data); ++i) {
        const json_t* const both = json_array_get(data, i);
        json_t* const from = json_array_get(both, 0);
        const std::string comment = text_at(json_object_get(from, "elem"), "comment");
        take(rule, from, json_array_get(both, 1), comment.empty() ? rule.comment : comment);
    }
}

void Ruleset::translate(const Rule& rule) {
    json_t* const value = json_object_get(rule.translation, "value");
    json_t* const target = value ? value : json_object_get(rule.translation, "addr");
    const auto matched = rule.matched.find(*rule.direction);
    if (json_object_get(rule.translation, "port")) {
        leave(rule, "changes ports: a pair translates addresses alone");
    } else if (json_t* const map = json_object_get(target, "map")) {
        take_map(rule, map);
    } else if (matched == rule.matched.end()) {
        leave(rule, "is for all addresses: a pair is for one, or one prefix");
    } else {
        take(rule, matched->second, target, rule.comment);
    }
}

}  // namespace

Reading read_nft_json(std::string_view text) {
    json_error_t error;
    const std::unique_ptr<json_t, Released> root(json_loadb(text.data(), text.size(), 0, &error));
    if (!root) {
        const bool is_one_line = text.find('\n') >= text.size() - std::min<std::size_t>(1, text.size());
        throw NotOfThisFormat{is_one_line || error.line < 1 ? 0 : static_cast<unsigned>(error.line),
                         fmt::format("no JSON ({}): legal is what \"nft -j list ruleset\" prints; a file in nft's own "
                                     "language is loaded first, as in \"unshare -n\", and then listed",
                                     printable(std::string_view(error.text).substr(0, 100)))};
    }
    return Ruleset().read(root.get());
}

}  // namespace statnat
