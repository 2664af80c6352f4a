// SPDX-License-Identifier: GPL-2.0-or-later
// A line for each thing, which begins with the word for what it is.
#include "records/baseline.hpp"

#include "ruleset/ahead.hpp"
#include "version.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace statnat {

namespace {

constexpr std::string_view version_word = "version ";
constexpr std::string_view degraded_word = "degraded ";
constexpr std::string_view outline_word = "outline ";
constexpr std::string_view witness_word = "witness ";
constexpr std::string_view colon_between = ": ";

std::string words(const Chain& chain, Family family) {
    std::string words;
    if (chain.hook) {
        words = fmt::format("hook {} type {} priority {}; ", static_cast<int>(*chain.hook),
                            static_cast<int>(chain.type), chain.priority);
    }
    words += fmt::format("\"{}\"", chain.comment);
    for (const Rule& rule : chain.rules) {
        words += "; " + text(unbounded(rule), family);
    }
    return words;
}

std::string words(const Map& map) {
    return fmt::format("{}{}{}", map.values ? "map" : "set", map.counters ? " counter" : "",
                       map.foreign ? " of somebody else" : "");
}

std::string words(const PrefixSet& set) {
    std::string words = set.foreign ? "of somebody else" : "of prefixes";
    for (const Prefix& prefix : set.prefixes) {
        words += " " + prefix.short_text();
    }
    return words;
}

void add(Outline& outline, const Table& table, std::string_view of) {
    const std::string name = table_text(table.family, of);
    outline.emplace("table " + name, table.dormant ? "dormant" : "awake");
    for (const Map& map : table.maps) {
        outline.emplace(fmt::format("map {} {}", name, map.name), words(map));
    }
    for (const PrefixSet& set : table.prefix_sets) {
        outline.emplace(fmt::format("set {} {}", name, set.name), words(set));
    }
    for (const StandingMap& map : table.standing_maps) {
        outline.emplace(fmt::format("map {} {}", name, map.name), map.foreign ? "of somebody else" : "of verdicts");
    }
    for (const Chain& chain : table.chains) {
        if (!is_ahead(chain)) {
            outline.emplace(fmt::format("chain {} {}", name, chain.name), words(chain, table.family));
        }
    }
}

// Whether a thing went with its table, which is said of that one.
bool went_with_its_table(const std::string& thing, const Outline& before, const Outline& now, std::string_view of) {
    return std::any_of(families.begin(), families.end(), [&](Family family) {
        const std::string table = "table " + table_text(family, of);
        return thing != table && thing.find(" " + table_text(family, of) + " ") != std::string::npos &&
               before.contains(table) && !now.contains(table);
    });
}

// "int2ext 10.0.0.2"
std::optional<Witness> parse_witness(std::string_view text) {
    const std::size_t space = text.rfind(' ');
    if (space == std::string_view::npos) {
        return std::nullopt;
    }
    const auto key = Address::parse(std::string(text.substr(space + 1)));
    return key ? std::optional(Witness{key->family, std::string(text.substr(0, space)), *key}) : std::nullopt;
}

}  // namespace

std::optional<Baseline::Record> Baseline::recall() const {
    auto opened = file_.open();
    if (!opened) {
        return std::nullopt;
    }
    Record record{opened->generation};
    for (std::string line; std::getline(opened->rest, line);) {
        const auto rest_behind = [&](std::string_view word) {
            return line.starts_with(word) ? std::optional(line.substr(word.size())) : std::nullopt;
        };
        if (const auto of = rest_behind(version_word)) {
            record.version = *of;
        } else if (const auto why = rest_behind(degraded_word)) {
            record.degraded = *why;
        } else if (const auto one = rest_behind(outline_word)) {
            const std::size_t colon = one->find(colon_between);
            record.outline.emplace(one->substr(0, colon), colon == std::string::npos
                                                              ? std::string()
                                                              : one->substr(colon + colon_between.size()));
        } else if (const auto witness = rest_behind(witness_word)) {
            if (auto parsed = parse_witness(*witness)) {
                record.witnesses.push_back(std::move(*parsed));
            }
        }
    }
    return record;
}

void Baseline::keep(std::uint32_t generation, std::string_view table, const Ruleset& ruleset,
                    const std::vector<Witness>& witnesses) const {
    if (ruleset.empty()) {
        file_.remove();
        return;
    }
    const auto before = recall();
    write({generation, std::string(version), before ? before->degraded : "", outline(ruleset, table), witnesses});
}

void Baseline::keep_degraded(std::string_view why) const {
    auto record = recall();
    if (record && record->degraded != why) {
        record->degraded = why;
        write(*record);
    }
}

void Baseline::write(const Record& record) const {
    file_.write(record.generation, [&](Replacement& file) {
        const auto put = [&](std::string_view word, std::string_view rest) {
            file.write(fmt::format("{}{}\n", word, rest));
        };
        put(version_word, record.version);
        if (!record.degraded.empty()) {
            put(degraded_word, record.degraded);
        }
        for (const auto& [thing, words] : record.outline) {
            put(outline_word, fmt::format("{}{}{}", thing, colon_between, words));
        }
        for (const Witness& witness : record.witnesses) {
            put(witness_word, fmt::format("{} {}", witness.map, witness.key.text()));
        }
    });
}

std::vector<Witness> witnesses(const Ruleset& ruleset) {
    std::vector<Witness> found;
    for (const Table& table : ruleset) {
        for (const Map& map : table.maps) {
            if (!map.foreign && !map.elements.empty()) {
                found.push_back({table.family, map.name, map.elements.key(0)});
            }
        }
    }
    return found;
}

Outline outline(const Ruleset& ruleset, std::string_view of) {
    Outline outline;
    for (const Table& table : ruleset) {
        add(outline, table, of);
    }
    return outline;
}

std::vector<std::string> drift(const Baseline::Record& record, const Ruleset& actual, std::string_view table) {
    const Outline now = outline(actual, table);
    std::vector<std::string> sentences;
    for (const auto& [thing, words] : record.outline) {
        const auto found = now.find(thing);
        if (found == now.end() && !went_with_its_table(thing, record.outline, now, table)) {
            sentences.push_back(thing + " is gone");
        } else if (found != now.end() && found->second != words) {
            sentences.push_back(thing + " is changed");
        }
    }
    for (const auto& [thing, words] : now) {
        if (!record.outline.contains(thing)) {
            sentences.push_back(thing + " is somebody else's");
        }
    }
    return sentences;
}

}  // namespace statnat
