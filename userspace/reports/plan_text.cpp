// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/plan_text.hpp"

#include "pairs/pairs.hpp"
#include "printable.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>

#include <fmt/format.h>

namespace statnat {
namespace {

Elements by_internal(const Elements& by_external) {
    Elements half = by_external.reversed();
    half.sort();
    return half;
}

// What a map tells about pairs; the other half, keyed by the external side, tells nothing more.
std::optional<PairIterator::Part> part_of(const Map& map, Family family) {
    const auto role = MapRole::of(map, family);
    if (!role || !role->tells_pairs()) {
        return std::nullopt;
    }
    return PairIterator::Part{{family, role->length, role->npt, role->inbound},
                              role->inbound ? by_internal(map.elements) : map.elements};
}

// What happens to one table, map, set or chain.
struct Alteration {
    bool removed = false;
    bool added = false;
    bool refilled = false;
    std::string detail;
};

using Parts = std::vector<PairIterator::Part>;

struct PairChanges {
    Parts removed;
    Parts added;
    std::set<Prefix> included{};  // again
    std::set<Prefix> excluded{};
};

// Refers to the plan that it tells.
struct Story {
    std::string_view table;
    std::map<Family, PairChanges> pairs;
    std::map<std::pair<Family, std::string>, Alteration> alterations;
};

// What is excluded, as the holes of a map that tells of pairs.
std::set<Prefix> holes_of(const PairIterator::Part& part) {
    std::set<Prefix> holes;
    for (std::size_t i = 0; i < part.by_internal.size(); ++i) {
        if (part.by_internal.is_its_own_value(i)) {
            holes.insert({part.by_internal.key(i), part.tier.length});
        }
    }
    return holes;
}

void take_removed(PairChanges& changes, const PairIterator::Part& part) {
    changes.removed.push_back(part);
    changes.included.merge(holes_of(part));
}

void take_added(PairChanges& changes, const PairIterator::Part& part) {
    changes.added.push_back(part);
    changes.excluded.merge(holes_of(part));
}

Alteration& table_alteration(Story& story, Family family) {
    return story.alterations[{family, "table " + table_text(family, story.table)}];
}

Alteration& map_alteration(Story& story, Family family, const Map& map) {
    const std::string kind = map.values ? "map " : "set ";
    return story.alterations[{family, kind + table_text(family, story.table) + " " + map.name}];
}

Alteration& set_alteration(Story& story, Family family, const std::string& name) {
    return story.alterations[{family, "set " + table_text(family, story.table) + " " + name}];
}

Alteration& chain_alteration(Story& story, Family family, const std::string& name) {
    return story.alterations[{family, "chain " + table_text(family, story.table) + " " + name}];
}

void tell(Story& story, const AddTable& step) {
    table_alteration(story, step.family).added = true;
}

void tell(Story& story, const DeleteTable& step) {
    table_alteration(story, step.family).removed = true;
    for (const Map& map : step.maps) {
        if (const auto part = part_of(map, step.family)) {
            take_removed(story.pairs[step.family], *part);
        }
    }
}

void tell(Story& story, const AddMap& step) {
    map_alteration(story, step.family, step.map).added = true;
}

void tell(Story& story, const DeleteMap& step) {
    map_alteration(story, step.family, step.map).removed = true;
    if (const auto part = part_of(step.map, step.family)) {
        take_removed(story.pairs[step.family], *part);
    }
}

// Where they tell pairs, `take` puts these among them.
void tell_elements(Story& story, Family family, const Map& map, void (*take)(PairChanges&, const PairIterator::Part&)) {
    if (const auto part = part_of(map, family)) {
        take(story.pairs[family], *part);
    } else {
        map_alteration(story, family, map).refilled = true;
    }
}

void tell(Story& story, const AddElements& step) {
    tell_elements(story, step.family, step.map, take_added);
}

void tell(Story& story, const DeleteElements& step) {
    tell_elements(story, step.family, step.map, take_removed);
}

void tell(Story& story, const AddPrefixSet& step) {
    Alteration& alteration = set_alteration(story, step.family, step.set.name);
    alteration.added = true;
    alteration.detail = joined(step.set.prefixes);
}

void tell(Story& story, const AddStandingMap& step) {
    set_alteration(story, step.family, step.map.name).added = true;
}

void tell(Story& story, const DeleteSet& step) {
    set_alteration(story, step.family, step.name).removed = true;
}

void tell(Story& story, const AddChain& step) {
    chain_alteration(story, step.family, step.chain.name).added = true;
}

void tell(Story& story, const FlushChain& step) {
    chain_alteration(story, step.family, step.name).refilled = true;
}

void tell(Story& story, const AddRules& step) {
    chain_alteration(story, step.family, step.chain).refilled = true;
}

void tell(Story& story, const DeleteChain& step) {
    chain_alteration(story, step.family, step.name).removed = true;
}

std::string line(char sign, const Pair& pair) {
    return fmt::format("{} {}", sign, with_comment(pair));
}

std::string line(const std::string& subject, const Alteration& alteration) {
    const auto& [removed, added, refilled, detail] = alteration;
    if (removed && added) {
        return fmt::format("~ {}: {}", subject, detail.empty() ? "replaced" : detail);
    }
    if (removed || added) {
        return fmt::format("{} {}{}{}", added ? '+' : '-', subject, detail.empty() ? "" : ": ", detail);
    }
    return fmt::format("~ {}: {}", subject, subject.starts_with("chain") ? "rules" : "elements");
}

// Pairs of one internal side are one that changes, unless they are inbound: a host may have several of these.
bool comes_before(const Pair& one, const Pair& other) {
    const auto place = [](const Pair& pair) {
        return std::tuple(pair.internal, pair.inbound, pair.inbound ? pair.external : Prefix{});
    };
    return place(one) < place(other);
}

// Calls visit(removed, added) for each internal side of a pair that changes; null: there was or will be none. A pair
// that a replaced map keeps is in both, and no change.
template <class Visit>
void walk(const PairChanges& pairs, Visit visit) {
    PairIterator r(pairs.removed);
    PairIterator a(pairs.added);
    const auto end = std::default_sentinel;
    while (r != end || a != end) {
        const auto removed = r == end ? std::nullopt : std::optional(*r);
        const auto added = a == end ? std::nullopt : std::optional(*a);
        const bool only_removed = removed && (!added || comes_before(*removed, *added));
        const bool only_added = added && (!removed || comes_before(*added, *removed));
        if (only_removed) {
            visit(&*removed, nullptr);
        } else if (only_added) {
            visit(nullptr, &*added);
        } else if (*removed != *added) {
            visit(&*removed, &*added);
        }
        if (!only_added) {
            ++r;
        }
        if (!only_removed) {
            ++a;
        }
    }
}

// Without what a replaced map keeps.
std::vector<std::string> lines_of_excluded(const PairChanges& changes) {
    std::vector<std::string> lines;
    const auto add = [&](char sign, const std::set<Prefix>& some, const std::set<Prefix>& others) {
        for (const Prefix& prefix : some) {
            if (!others.contains(prefix)) {
                lines.push_back(fmt::format("{} exclude {}", sign, prefix.short_text()));
            }
        }
    };
    add('-', changes.included, changes.excluded);
    add('+', changes.excluded, changes.included);
    return lines;
}

Story tell(const Plan& plan, std::string_view table = {}) {
    Story story{.table = table, .pairs = {}, .alterations = {}};
    for (const Step& step : plan) {
        std::visit([&](const auto& alternative) { tell(story, alternative); }, step);
    }
    return story;
}

// Null: a family without a table.
Parts parts_of(const Table* table) {
    Parts parts;
    for (std::size_t i = 0; table && i < table->maps.size(); ++i) {
        if (const auto part = part_of(table->maps[i], table->family)) {
            parts.push_back(*part);
        }
    }
    return parts;
}

// Whether a pair has this internal prefix, or one around it.
bool is_covered(const Prefix& internal, const Parts& parts) {
    return std::any_of(parts.begin(), parts.end(), [&](const PairIterator::Part& part) {
        return part.tier.length <= internal.length &&
               part.by_internal.find(Prefix::of(internal.address, part.tier.length).address);
    });
}

}  // namespace

PairCounts count_pairs(const Plan& plan) {
    PairCounts counts;
    const Story story = tell(plan);
    for (const auto& [family, pairs] : story.pairs) {
        walk(pairs, [&](const Pair* removed, const Pair* added) {
            ++(!removed ? counts.added : !added ? counts.removed : counts.changed);
        });
        counts.excluded += lines_of_excluded(pairs).size();
    }
    return counts;
}

Loss loss(const Plan& plan, const Ruleset& desired, const Ruleset& actual, const std::set<Prefix>& waiting) {
    std::size_t added = 0;
    Loss loss;
    const Story story = tell(plan);
    for (const auto& [family, pairs] : story.pairs) {
        const Parts remaining = parts_of(find(desired, family));
        walk(pairs, [&](const Pair* removed, const Pair* now) {
            added += !removed ? 1 : 0;
            const bool stays = now || waiting.contains(removed->internal);
            loss.lost += !stays && !is_covered(removed->internal, remaining) ? 1 : 0;
        });
    }
    loss.lost -= std::min(loss.lost, added);
    for (const Table& table : actual) {
        const Parts parts = parts_of(&table);
        loss.of += static_cast<std::size_t>(std::ranges::distance(PairIterator(parts), std::default_sentinel));
    }
    return loss;
}

std::vector<std::string> describe(const Plan& plan, std::string_view table) {
    const Story story = tell(plan, table);
    std::vector<std::string> lines;
    std::set<Family> pairs_change;
    for (const auto& [family, pairs] : story.pairs) {
        walk(pairs, [&, family = family](const Pair* removed, const Pair* added) {
            if (removed) {
                lines.push_back(line('-', *removed));
            }
            if (added) {
                lines.push_back(line('+', *added));
            }
            pairs_change.insert(family);
        });
        for (std::string& excluded : lines_of_excluded(pairs)) {
            lines.push_back(std::move(excluded));
            pairs_change.insert(family);
        }
    }
    for (const auto& [where, alteration] : story.alterations) {
        const auto& [family, subject] = where;
        // Where pairs change, the elements of the maps that do not tell them follow.
        const bool told = pairs_change.contains(family) && !subject.starts_with("chain") && !alteration.removed &&
                          !alteration.added;
        if (!told) {
            lines.push_back(printable(line(subject, alteration)));
        }
    }
    return lines;
}

}  // namespace statnat
