// SPDX-License-Identifier: GPL-2.0-or-later
#include "actual/claims.hpp"

#include "pairs/ranges.hpp"
#include "ruleset/inventory.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>

#include <fmt/format.h>

namespace statnat {
namespace {

// By family, of each side.
using Claims = std::map<std::pair<Side, Family>, std::vector<Range>>;

// What maps of one length have: pairs, and holes in pairs of shorter ones.
struct Tiles {
    std::vector<Range> pairs;
    std::vector<Range> holes;
};

// Ascending by length: a longer one overrides, be it a pair in a hole or a hole in a pair.
using Layers = std::map<std::uint8_t, Tiles>;

void add(Layers& layers, const Elements& elements, std::uint8_t length) {
    Tiles& tiles = layers[length];
    for (std::size_t i = 0; i < elements.size(); ++i) {
        (elements.is_its_own_value(i) ? tiles.holes : tiles.pairs).push_back(Range::of({elements.key(i), length}));
    }
}

std::vector<Range> flattened(Layers layers) {
    std::vector<Range> ranges;
    for (auto& [length, tiles] : layers) {
        ranges.insert(ranges.end(), tiles.pairs.begin(), tiles.pairs.end());
        ranges = without(merged(std::move(ranges)), merged(std::move(tiles.holes)));
    }
    return ranges;
}

Claims claims_of(const Ruleset& ruleset) {
    std::map<std::pair<Side, Family>, Layers> layers;
    for (const Table& table : ruleset) {
        for (const Map& map : table.maps) {
            if (const auto role = MapRole::of(map, table.family)) {
                add(layers[{role->key, table.family}], map.elements, role->length);
            }
        }
    }
    Claims claims;
    for (auto& [of, its] : layers) {
        claims[of] = flattened(std::move(its));
    }
    return claims;
}

std::optional<Address> first_common(const std::vector<Range>& some, const std::vector<Range>& others) {
    auto other = others.begin();
    for (const Range& one : some) {
        while (other != others.end() && other->last < one.first) {
            ++other;
        }
        if (other != others.end() && other->first <= one.last) {
            return std::max(one.first, other->first);
        }
    }
    return std::nullopt;
}

std::optional<Vrf> vrf_of(const Ruleset& ruleset) {
    for (const Table& table : ruleset) {
        if (auto vrf = statnat::vrf_of(table)) {
            return vrf;
        }
    }
    return std::nullopt;
}

// Where an asterisk stands, all that begins so is meant.
bool may_be_one(std::string_view some, std::string_view other) {
    const bool some_begin = some.ends_with('*');
    const bool other_begin = other.ends_with('*');
    if (!some_begin && !other_begin) {
        return some == other;
    }
    some.remove_suffix(some_begin);
    other.remove_suffix(other_begin);
    return (some_begin && other.starts_with(some)) || (other_begin && some.starts_with(other));
}

// Whether what leaves by an interface of the one can never leave by one of the other.
bool have_other_borders(const Table& table, const Ruleset& others) {
    const Table* other = find(others, table.family);
    if (!other) {
        return true;
    }
    const std::vector<std::string> ours = external_interfaces(table);
    const std::vector<std::string> theirs = external_interfaces(*other);
    return !ours.empty() && !theirs.empty() && std::none_of(ours.begin(), ours.end(), [&](const std::string& one) {
        return std::any_of(theirs.begin(), theirs.end(),
                           [&](const std::string& another) { return may_be_one(one, another); });
    });
}

// Whether internal addresses may be in both.
bool are_apart(const Ruleset& some, const Ruleset& others) {
    const auto vrf = vrf_of(some);
    const auto other = vrf_of(others);
    return (vrf && other && vrf->name != other->name) ||
           std::all_of(some.begin(), some.end(),
                       [&](const Table& table) { return have_other_borders(table, others); });
}

bool has_fast_path(const Ruleset& ruleset) {
    return std::any_of(ruleset.begin(), ruleset.end(),
                       [](const Table& table) { return statnat::has_fast_path(table); });
}

std::uint32_t mark_of(const Ruleset& ruleset) {
    const auto vrf = vrf_of(ruleset);
    std::uint32_t mark = vrf ? vrf->mark : 0;
    for (const Table& table : ruleset) {
        mark = std::max(mark, statnat::mark_of(table));
    }
    return mark;
}

std::optional<std::string> contested_address(const Claims& ours, const Sibling& sibling, bool apart) {
    const Claims theirs = claims_of(sibling.ruleset);
    for (const auto& [of, ranges] : ours) {
        const auto found = theirs.find(of);
        const bool internal = of.first == Side::internal;
        const auto address =
            found == theirs.end() || (internal && apart) ? std::nullopt : first_common(ranges, found->second);
        if (address) {
            return fmt::format("{} is an {} address of {}, too (table {}): take it out of one of the two "
                               "configurations{}",
                               address->text(), internal ? "internal" : "external", sibling.instance.text(),
                               table_text(of.second, sibling.instance.table()),
                               internal ? ", or have them in different VRFs (vrf), or behind different "
                                          "external-interfaces"
                                        : "");
        }
    }
    return std::nullopt;
}

// With a hole goes the exception: the pair around it has the address again.
bool has_holes(const Map& map) {
    std::size_t i = 0;
    while (map.values && i < map.elements.size() && !map.elements.is_its_own_value(i)) {
        ++i;
    }
    return map.values && i < map.elements.size();
}

}  // namespace

bool claims_any(const Plan& plan) {
    return std::any_of(plan.begin(), plan.end(), [](const Step& step) {
        const auto* gone = std::get_if<DeleteElements>(&step);
        return std::holds_alternative<AddElements>(step) || std::holds_alternative<AddRules>(step) ||
               std::holds_alternative<AddChain>(step) || (gone && has_holes(gone->map));
    });
}

std::vector<std::string> contested(const Ruleset& desired, const std::vector<Sibling>& siblings) {
    const Claims ours = siblings.empty() ? Claims() : claims_of(desired);
    std::vector<std::string> sentences;
    for (const Sibling& sibling : siblings) {
        if (const auto sentence = contested_address(ours, sibling, are_apart(desired, sibling.ruleset))) {
            sentences.push_back(*sentence);
        }
        const std::uint32_t mark = mark_of(desired);
        if (mark != 0 && mark == mark_of(sibling.ruleset)) {
            sentences.push_back(fmt::format("mark {:#010x} is that of {}, too: take another one", mark,
                                            sibling.instance.text()));
        }
        if (has_fast_path(desired) || has_fast_path(sibling.ruleset)) {
            sentences.push_back(fmt::format("fast-path beside {}: take it out, since packets from pairs of the one to "
                                            "pairs of the other would go past the other's rules",
                                            sibling.instance.text()));
        }
    }
    return sentences;
}

}  // namespace statnat
