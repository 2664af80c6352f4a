// SPDX-License-Identifier: GPL-2.0-or-later
// The difference between two rulesets, in an order that the kernel accepts, and in words.
#include "plan.hpp"

#include <algorithm>
#include <iterator>
#include <map>
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

// Calls visit(d, a) for each key of either side, in ascending order: where each has it, or none.
template <class Visit>
void walk(const Elements& desired, const Elements& actual, Visit visit) {
    std::size_t d = 0;
    std::size_t a = 0;
    while (d < desired.size() || a < actual.size()) {
        if (a == actual.size() || (d < desired.size() && desired.key(d) < actual.key(a))) {
            visit(d++, none);
        } else if (d == desired.size() || actual.key(a) < desired.key(d)) {
            visit(none, a++);
        } else {
            visit(d++, a++);
        }
    }
}

struct ElementChanges {
    Elements removed;
    Elements added;
};

ElementChanges changes(const Elements& desired, const Elements& actual) {
    ElementChanges result;
    if (desired == actual) {
        return result;
    }
    walk(desired, actual, [&](std::size_t d, std::size_t a) {
        const bool same_value = d != none && a != none && desired.value(d) == actual.value(a);
        if (same_value && desired.comment(d) == actual.comment(a)) {
            return;
        }
        if (a != none) {
            result.removed.push_back(actual[a]);
        }
        if (d != none) {
            Element element = desired[d];
            element.traffic = same_value ? actual.traffic(a) : Traffic{};
            result.added.push_back(element);
        }
    });
    return result;
}

// What is desired, each counter starting where that of the same pair stands.
Elements continued(const Elements& desired, const Elements& actual) {
    Elements result = desired;
    walk(desired, actual, [&](std::size_t d, std::size_t a) {
        const bool same_value = d != none && a != none && desired.value(d) == actual.value(a);
        if (same_value && actual.traffic(a) != Traffic{}) {
            result.set_traffic(d, actual.traffic(a));
        }
    });
    return result;
}

// What a map tells about pairs; the other half, keyed by the external side, tells nothing more.
bool tells_pairs(const Map& map, Family family) {
    const auto role = MapRole::of(map, family);
    return role && role->key == Side::internal;
}

void append_pairs(std::vector<Pair>& pairs, const Map& map, Family family) {
    const auto role = MapRole::of(map, family);
    if (!role || role->key != Side::internal) {
        return;
    }
    pairs.reserve(pairs.size() + map.elements.size());
    for (const Element& element : map.elements) {
        if (auto pair = role->pair(element)) {
            pairs.push_back(std::move(*pair));
        }
    }
}

std::vector<Pair> pairs_of(const Map& map, Family family) {
    std::vector<Pair> pairs;
    append_pairs(pairs, map, family);
    return pairs;
}

std::vector<Pair> pairs_of(const Table& table) {
    std::vector<Pair> pairs;
    for (const Map& map : table.maps) {
        append_pairs(pairs, map, table.family);
    }
    return pairs;
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
        const auto same = std::find(actual.begin(), actual.end(), rule);
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
            steps.push_back(DeleteMap{family, map.name, pairs_of(map, family)});
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

struct PairChanges {
    std::vector<Pair> removed;
    std::vector<Pair> added;
};

struct Story {
    std::map<Family, PairChanges> pairs;
    std::map<std::pair<Family, std::string>, Change> changes;
};

std::string joined(const std::vector<Prefix>& prefixes) {
    std::string list;
    for (const Prefix& prefix : prefixes) {
        list += (list.empty() ? "" : ", ") + prefix.text();
    }
    return list;
}

void append(std::vector<Pair>& pairs, const std::vector<Pair>& more) {
    pairs.insert(pairs.end(), more.begin(), more.end());
}

Change& table_change(Story& story, Family family) {
    return story.changes[{family, "table " + table_text(family)}];
}

Change& map_change(Story& story, Family family, const std::string& name) {
    return story.changes[{family, "map " + table_text(family) + " " + name}];
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
    append(story.pairs[step.family].removed, step.pairs);
}

void tell(Story& story, const AddMap& step) {
    map_change(story, step.family, step.map.name).added = true;
}

void tell(Story& story, const DeleteMap& step) {
    map_change(story, step.family, step.name).removed = true;
    append(story.pairs[step.family].removed, step.pairs);
}

void tell(Story& story, const AddElements& step) {
    if (tells_pairs(step.map, step.family)) {
        append_pairs(story.pairs[step.family].added, step.map, step.family);
    } else {
        map_change(story, step.family, step.map.name).refilled = true;
    }
}

void tell(Story& story, const DeleteElements& step) {
    if (tells_pairs(step.map, step.family)) {
        append_pairs(story.pairs[step.family].removed, step.map, step.family);
    } else {
        map_change(story, step.family, step.map.name).refilled = true;
    }
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
    return std::string{sign} + " " + pair.text() + (pair.comment.empty() ? "" : " # " + pair.comment.text());
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

void sort(std::vector<Pair>& pairs) {
    if (!std::is_sorted(pairs.begin(), pairs.end())) {
        std::sort(pairs.begin(), pairs.end());
    }
}

// Calls visit(removed, added) for each internal side of a pair that changes; null: there was or will be none. A pair
// that a replaced map keeps is in both lists, and no change.
template <class Visit>
void walk(PairChanges pairs, Visit visit) {
    auto& [removed, added] = pairs;
    sort(removed);
    sort(added);
    auto r = removed.begin();
    auto a = added.begin();
    while (r != removed.end() || a != added.end()) {
        if (a == added.end() || (r != removed.end() && r->internal < a->internal)) {
            visit(&*r++, nullptr);
        } else if (r == removed.end() || a->internal < r->internal) {
            visit(nullptr, &*a++);
        } else {
            if (*r != *a) {
                visit(&*r, &*a);
            }
            ++r;
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

}  // namespace

Plan plan(const Ruleset& desired, const Ruleset& actual) {
    Plan steps;
    for (const Family family : families) {
        const Table* wanted = find(desired, family);
        const Table* there = find(actual, family);
        if (!wanted) {
            if (there) {
                steps.push_back(DeleteTable{family, pairs_of(*there)});
            }
            continue;
        }
        // The kernel does not wake a table and change it in one batch.
        const bool replaced = there && there->dormant;
        if (replaced) {
            steps.push_back(DeleteTable{family, pairs_of(*there)});
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

PairCounts count_pairs(const Plan& plan) {
    PairCounts counts;
    Story story = tell(plan);
    for (auto& [family, pairs] : story.pairs) {
        walk(std::move(pairs), [&](const Pair* removed, const Pair* added) {
            ++(!removed ? counts.added : !added ? counts.removed : counts.changed);
        });
    }
    return counts;
}

std::vector<std::string> describe(const Plan& plan) {
    Story story = tell(plan);
    std::vector<std::string> lines;
    std::set<Family> pairs_change;
    for (auto& [family, pairs] : story.pairs) {
        walk(std::move(pairs), [&](const Pair* removed, const Pair* added) {
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
        const bool told = pairs_change.contains(family) && subject.starts_with("map") && !change.removed &&
                          !change.added;
        if (!told) {
            lines.push_back(line(subject, change));
        }
    }
    return lines;
}

}  // namespace statnat
