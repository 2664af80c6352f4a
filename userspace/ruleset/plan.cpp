// SPDX-License-Identifier: GPL-2.0-or-later
// The difference between two rulesets, in an order that the kernel accepts, and in words.
#include "ruleset/plan.hpp"

#include "pairs/pairs.hpp"
#include "printable.hpp"

#include <algorithm>
#include <compare>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

namespace statnat {
namespace {

using Names = std::set<std::string, std::less<>>;

template <class Named>
const Named* find(const std::vector<Named>& all, std::string_view name) {
    const auto found = std::find_if(all.begin(), all.end(), [&](const Named& one) { return one.name == name; });
    return found == all.end() ? nullptr : &*found;
}

const Table* find(const Ruleset& ruleset, Family family) {
    const auto found = std::find_if(ruleset.begin(), ruleset.end(),
                                    [&](const Table& table) { return table.family == family; });
    return found == ruleset.end() ? nullptr : &*found;
}

// Everything of a map but its elements.
Map header(const Map& map) {
    return Map{map.name, map.values, map.counters, map.capacity, map.foreign, {}};
}

Map with_elements(const Map& map, Elements elements) {
    Map same = header(map);
    same.elements = std::move(elements);
    return same;
}

constexpr std::size_t none = static_cast<std::size_t>(-1);

// Calls visit(d, a) for each key of either side that differs, in ascending order: where each has it, or none.
template <class Visit>
void walk_differences(const Elements& desired, const Elements& actual, Visit visit) {
    std::size_t d = 0;
    std::size_t a = 0;
    while (d < desired.size() || a < actual.size()) {
        const std::size_t same = desired.count_same(d, actual, a);
        d += same;
        a += same;
        if (d == desired.size() && a == actual.size()) {
            return;
        }
        const auto order = a == actual.size()    ? std::strong_ordering::less
                           : d == desired.size() ? std::strong_ordering::greater
                                                 : desired.compare_keys(d, actual, a);
        visit(order <= 0 ? d++ : none, order >= 0 ? a++ : none);
    }
}

struct ElementChanges {
    Elements removed;
    Elements added;
};

ElementChanges changes(const Elements& desired, const Elements& actual) {
    ElementChanges result;
    walk_differences(desired, actual, [&](std::size_t d, std::size_t a) {
        if (a != none) {
            result.removed.push_back(actual[a]);
        }
        if (d != none) {
            Element element = desired[d];
            if (a != none && desired.same_value(d, actual, a)) {
                element.traffic = actual.traffic(a);
            }
            result.added.push_back(element);
        }
    });
    return result;
}

// Where an element is that has the same key and value.
std::optional<std::size_t> counterpart(const Elements& actual, const Elements& elements, std::size_t index) {
    const auto found = actual.find(elements.key(index));
    return found && elements.same_value(index, actual, *found) ? found : std::nullopt;
}

// What is desired, each counter starting where that of the same pair stands.
Elements continued(Elements desired, const Elements& actual) {
    for (std::size_t d = 0; d < desired.size() && !actual.empty(); ++d) {
        const auto a = counterpart(actual, desired, d);
        if (a && actual.traffic(*a) != Traffic{}) {
            desired.set_traffic(d, actual.traffic(*a));
        }
    }
    return desired;
}

// What a map tells about pairs; the other half, keyed by the external side, tells nothing more.
std::optional<PairIterator::Part> part_of(const Map& map, Family family) {
    const auto role = MapRole::of(map, family);
    if (!role || role->key != Side::internal) {
        return std::nullopt;
    }
    return PairIterator::Part{{family, role->length, role->npt}, &map.elements};
}

bool can_stay(const Map* desired, const Map& actual) {
    return desired && !actual.foreign && desired->values == actual.values && desired->counters == actual.counters &&
           desired->capacity <= actual.capacity;
}

bool can_stay(const PrefixSet* desired, const PrefixSet& actual) {
    return desired && *desired == actual;
}

bool can_stay(const Chain* desired, const Chain& actual) {
    return desired && std::tie(desired->hook, desired->type, desired->priority, desired->comment) ==
                          std::tie(actual.hook, actual.type, actual.priority, actual.comment);
}

template <class Named>
void collect_leaving(const std::vector<Named>& desired, const std::vector<Named>& actual, Names& names) {
    for (const Named& one : actual) {
        if (!can_stay(find(desired, one.name), one)) {
            names.insert(one.name);
        }
    }
}

bool refers(const SnatStateless& statement, const Names& names) {
    const auto named = [&](const MapReference& map) { return names.contains(map.name); };
    return std::any_of(statement.maps.begin(), statement.maps.end(), named) ||
           std::any_of(statement.else_maps.begin(), statement.else_maps.end(), named);
}

bool refers(const SetAddress& statement, const Names& names) {
    return names.contains(statement.map);
}

bool refers(const MatchAddress& statement, const Names& names) {
    return names.contains(statement.set);
}

bool refers(const MatchRedirected& statement, const Names& names) {
    return names.contains(statement.set);
}

template <class Other>
bool refers(const Other&, const Names&) {
    return false;
}

bool any_refers(const std::vector<Rule>& rules, const Names& names) {
    return std::any_of(rules.begin(), rules.end(), [&](const Rule& rule) {
        return std::any_of(rule.statements.begin(), rule.statements.end(), [&](const Statement& statement) {
            return std::visit([&](const auto& alternative) { return refers(alternative, names); }, statement);
        });
    });
}

// Rules whose counters start where those of the same rules stand.
std::vector<Rule> continued(std::vector<Rule> desired, const std::vector<Rule>& actual) {
    for (Rule& rule : desired) {
        const auto same =
            std::find_if(actual.begin(), actual.end(), [&](const Rule& old) { return same_but_bounds(rule, old); });
        rule.traffic = same == actual.end() ? Traffic{} : same->traffic;
    }
    return desired;
}

Chain continued(const Chain& desired, const Chain* actual) {
    Chain chain = desired;
    if (actual) {
        chain.rules = continued(chain.rules, actual->rules);
    }
    return chain;
}

void append(Plan& plan, Plan more) {
    plan.insert(plan.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

void append_elements(Plan& plan, Family family, const Map& map, Elements elements) {
    if (!elements.empty()) {
        plan.push_back(AddElements{family, with_elements(map, std::move(elements))});
    }
}

// The elements of maps that stay: all deletions come first, because a full map has no room for additions.
Plan fill_maps(const Table& desired, const Table& actual, const Names& leaving) {
    const Elements nothing;
    Plan deletions;
    Plan additions;
    for (const Map& map : desired.maps) {
        const Map* old = find(actual.maps, map.name);
        if (!old || leaving.contains(map.name)) {
            additions.push_back(AddMap{desired.family, header(map)});
            append_elements(additions, desired.family, map, continued(map.elements, old ? old->elements : nothing));
            continue;
        }
        auto [removed, added] = changes(map.elements, old->elements);
        if (!removed.empty()) {
            deletions.push_back(DeleteElements{desired.family, with_elements(*old, std::move(removed))});
        }
        append_elements(additions, desired.family, *old, std::move(added));
    }
    append(deletions, std::move(additions));
    return deletions;
}

// Rules hold maps and chains, and verdict maps hold chains: they go in this order, and come in the opposite one.
void plan_table(const Table& desired, const Table& actual, Plan& steps) {
    const Family family = desired.family;
    Names leaving;
    collect_leaving(desired.maps, actual.maps, leaving);
    collect_leaving(desired.prefix_sets, actual.prefix_sets, leaving);
    Names leaving_chains;
    collect_leaving(desired.chains, actual.chains, leaving_chains);

    Plan refills;
    for (const Chain& chain : actual.chains) {
        const Chain* wanted = find(desired.chains, chain.name);
        if (leaving_chains.contains(chain.name)) {
            steps.push_back(FlushChain{family, chain.name});
        } else if (wanted->rules != chain.rules || any_refers(chain.rules, leaving)) {
            steps.push_back(FlushChain{family, chain.name});
            refills.push_back(AddRules{family, chain.name, continued(wanted->rules, chain.rules)});
        }
    }
    for (const Map& map : actual.maps) {
        if (leaving.contains(map.name)) {
            steps.push_back(DeleteMap{family, map});
        }
    }
    for (const PrefixSet& set : actual.prefix_sets) {
        if (leaving.contains(set.name)) {
            steps.push_back(DeletePrefixSet{family, set.name});
        }
    }
    for (const std::string& name : leaving_chains) {
        steps.push_back(DeleteChain{family, name});
    }

    append(steps, fill_maps(desired, actual, leaving));
    for (const PrefixSet& set : desired.prefix_sets) {
        if (!find(actual.prefix_sets, set.name) || leaving.contains(set.name)) {
            steps.push_back(AddPrefixSet{family, set});
        }
    }
    for (const Chain& chain : desired.chains) {
        const Chain* old = find(actual.chains, chain.name);
        if (!old || leaving_chains.contains(chain.name)) {
            steps.push_back(AddChain{family, continued(chain, old)});
        }
    }
    append(steps, std::move(refills));
}

// What happens to one table, map, set or chain.
struct Change {
    bool removed = false;
    bool added = false;
    bool refilled = false;
    std::string detail;
};

using Parts = std::vector<PairIterator::Part>;

struct PairChanges {
    Parts removed;
    Parts added;
};

// Refers to the plan that it tells.
struct Story {
    std::map<Family, PairChanges> pairs;
    std::map<std::pair<Family, std::string>, Change> changes;
};

bool has_hole(const Elements& elements) {
    for (std::size_t i = 0; i < elements.size(); ++i) {
        if (elements.is_its_own_value(i)) {
            return true;
        }
    }
    return false;
}

std::string joined(const std::vector<Prefix>& prefixes) {
    std::string list;
    for (const Prefix& prefix : prefixes) {
        list += (list.empty() ? "" : ", ") + prefix.text();
    }
    return list;
}

Change& table_change(Story& story, Family family) {
    return story.changes[{family, "table " + table_text(family)}];
}

Change& map_change(Story& story, Family family, const Map& map) {
    return story.changes[{family, (map.values ? "map " : "set ") + table_text(family) + " " + map.name}];
}

Change& set_change(Story& story, Family family, const std::string& name) {
    return story.changes[{family, "set " + table_text(family) + " " + name}];
}

Change& chain_change(Story& story, Family family, const std::string& name) {
    return story.changes[{family, "chain " + table_text(family) + " " + name}];
}

void tell(Story& story, const AddTable& step) {
    table_change(story, step.family).added = true;
}

void tell(Story& story, const DeleteTable& step) {
    table_change(story, step.family).removed = true;
    for (const Map& map : step.maps) {
        if (const auto part = part_of(map, step.family)) {
            story.pairs[step.family].removed.push_back(*part);
        }
    }
}

void tell(Story& story, const AddMap& step) {
    map_change(story, step.family, step.map).added = true;
}

void tell(Story& story, const DeleteMap& step) {
    map_change(story, step.family, step.map).removed = true;
    if (const auto part = part_of(step.map, step.family)) {
        story.pairs[step.family].removed.push_back(*part);
    }
}

// Where they tell pairs, these are put among `pairs`; a hole tells none.
void tell_elements(Story& story, Family family, const Map& map, Parts PairChanges::*pairs) {
    const auto part = part_of(map, family);
    if (part) {
        (story.pairs[family].*pairs).push_back(*part);
    }
    if (!part || has_hole(map.elements)) {
        map_change(story, family, map).refilled = true;
    }
}

void tell(Story& story, const AddElements& step) {
    tell_elements(story, step.family, step.map, &PairChanges::added);
}

void tell(Story& story, const DeleteElements& step) {
    tell_elements(story, step.family, step.map, &PairChanges::removed);
}

void tell(Story& story, const AddPrefixSet& step) {
    Change& change = set_change(story, step.family, step.set.name);
    change.added = true;
    change.detail = joined(step.set.prefixes);
}

void tell(Story& story, const DeletePrefixSet& step) {
    set_change(story, step.family, step.name).removed = true;
}

void tell(Story& story, const AddChain& step) {
    chain_change(story, step.family, step.chain.name).added = true;
}

void tell(Story& story, const FlushChain& step) {
    chain_change(story, step.family, step.name).refilled = true;
}

void tell(Story& story, const AddRules& step) {
    chain_change(story, step.family, step.chain).refilled = true;
}

void tell(Story& story, const DeleteChain& step) {
    chain_change(story, step.family, step.name).removed = true;
}

std::string line(char sign, const Pair& pair) {
    return std::string{sign} + " " + pair.text() +
           (pair.comment.empty() ? "" : " # " + printable(pair.comment.text()));
}

std::string line(const std::string& subject, const Change& change) {
    const std::string detail = change.detail.empty() ? "" : ": " + change.detail;
    if (change.removed && change.added) {
        return "~ " + subject + (detail.empty() ? ": replaced" : detail);
    }
    if (change.removed || change.added) {
        return (change.added ? "+ " : "- ") + subject + detail;
    }
    return "~ " + subject + (subject.starts_with("chain") ? ": rules" : ": elements");
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
        const bool only_removed = removed && (!added || removed->internal < added->internal);
        const bool only_added = added && (!removed || added->internal < removed->internal);
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

Story tell(const Plan& plan) {
    Story story;
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
               part.by_internal->find(Prefix::of(internal.address, part.tier.length).address);
    });
}

}  // namespace

Plan plan(const Ruleset& desired, const Ruleset& actual) {
    Plan steps;
    for (const Family family : families) {
        const Table* wanted = find(desired, family);
        const Table* there = find(actual, family);
        if (!wanted) {
            if (there) {
                steps.push_back(DeleteTable{family, there->maps});
            }
            continue;
        }
        // The kernel does not wake a table and change it in one batch.
        const bool replaced = there && there->dormant;
        if (replaced) {
            steps.push_back(DeleteTable{family, there->maps});
        }
        if (!there || replaced) {
            steps.push_back(AddTable{family});
        }
        Table nothing;
        nothing.family = family;
        plan_table(*wanted, there && !replaced ? *there : nothing, steps);
    }
    return steps;
}

std::vector<Selection> carried_over(const Plan& plan, const Ruleset& actual) {
    std::vector<Selection> selections;
    for (const Step& step : plan) {
        const auto* add = std::get_if<AddElements>(&step);
        const Table* table = add && add->map.counters ? find(actual, add->family) : nullptr;
        const Map* map = table ? find(table->maps, add->map.name) : nullptr;
        if (!map || !map->counters || map->foreign) {
            continue;
        }
        Selection selection{add->family, map->name, {}};
        for (std::size_t i = 0; i < add->map.elements.size(); ++i) {
            if (const auto place = counterpart(map->elements, add->map.elements, i)) {
                selection.elements.push_back(*place);
            }
        }
        if (!selection.elements.empty()) {
            selections.push_back(std::move(selection));
        }
    }
    return selections;
}

PairCounts count_pairs(const Plan& plan) {
    PairCounts counts;
    const Story story = tell(plan);
    for (const auto& [family, pairs] : story.pairs) {
        walk(pairs, [&](const Pair* removed, const Pair* added) {
            ++(!removed ? counts.added : !added ? counts.removed : counts.changed);
        });
    }
    return counts;
}

Loss loss(const Plan& plan, const Ruleset& desired, const Ruleset& actual) {
    std::size_t added = 0;
    Loss loss;
    const Story story = tell(plan);
    for (const auto& [family, pairs] : story.pairs) {
        const Parts remaining = parts_of(find(desired, family));
        walk(pairs, [&](const Pair* removed, const Pair* now) {
            added += !removed ? 1 : 0;
            loss.lost += !now && !is_covered(removed->internal, remaining) ? 1 : 0;
        });
    }
    loss.lost -= std::min(loss.lost, added);
    for (const Table& table : actual) {
        const Parts parts = parts_of(&table);
        loss.of += static_cast<std::size_t>(std::ranges::distance(PairIterator(parts), std::default_sentinel));
    }
    return loss;
}

std::vector<std::string> describe(const Plan& plan) {
    const Story story = tell(plan);
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
    }
    for (const auto& [place, change] : story.changes) {
        const auto& [family, subject] = place;
        // Where pairs change, the elements of the maps that do not tell them follow.
        const bool told = pairs_change.contains(family) && !subject.starts_with("chain") && !change.removed &&
                          !change.added;
        if (!told) {
            lines.push_back(printable(line(subject, change)));
        }
    }
    return lines;
}

}  // namespace statnat
