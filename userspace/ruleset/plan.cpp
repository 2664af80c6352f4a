// SPDX-License-Identifier: GPL-2.0-or-later
// The difference between two rulesets, in an order that the kernel accepts.
#include "ruleset/plan.hpp"

#include <algorithm>
#include <compare>
#include <iterator>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

namespace statnat {
namespace {

using Names = std::set<std::string, std::less<>>;

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

bool can_stay(const Map* desired, const Map& actual) {
    return desired && !actual.foreign && desired->values == actual.values && desired->counters == actual.counters &&
           desired->capacity <= actual.capacity;
}

bool can_stay(const PrefixSet* desired, const PrefixSet& actual) {
    return desired && *desired == actual;
}

bool can_stay(const StandingMap* desired, const StandingMap& actual) {
    return desired && *desired == actual;
}

bool can_stay(const Chain* desired, const Chain& actual) {
    return desired && std::tie(desired->hook, desired->type, desired->priority, desired->comment) ==
                          std::tie(actual.hook, actual.type, actual.priority, actual.comment);
}

template <class Named>
void collect_leaving(const std::vector<Named>& desired, const std::vector<Named>& actual, Names& names) {
    for (const Named& one : actual) {
        if (!can_stay(find_named(desired, one.name), one)) {
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

bool refers(const AskStanding& statement, const Names& names) {
    return names.contains(statement.map);
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
        const Map* old = find_named(actual.maps, map.name);
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

// What cannot stay.
struct Leaving {
    Names sets;  // maps among them
    Names chains;

    Leaving(const Table& desired, const Table& actual) {
        collect_leaving(desired.maps, actual.maps, sets);
        collect_leaving(desired.prefix_sets, actual.prefix_sets, sets);
        collect_leaving(desired.standing_maps, actual.standing_maps, sets);
        collect_leaving(desired.chains, actual.chains, chains);
    }
};

// What maps are within may be more than it must, and is made less when elements change anyway.
bool can_stay(const std::vector<Rule>& desired, const std::vector<Rule>& actual, bool elements_change) {
    const auto stays = [](const Rule& old, const Rule& wanted) { return covers(old, wanted); };
    return desired == actual ||
           (!elements_change && std::equal(actual.begin(), actual.end(), desired.begin(), desired.end(), stays));
}

// Returns the rules that are to be written again at the end.
Plan take_away(const Table& desired, const Table& actual, const Leaving& leaving, bool elements_change, Plan& steps) {
    const Family family = desired.family;
    Plan refills;
    for (const Chain& chain : actual.chains) {
        const Chain* wanted = find_named(desired.chains, chain.name);
        if (leaving.chains.contains(chain.name)) {
            steps.push_back(FlushChain{family, chain.name});
        } else if (!can_stay(wanted->rules, chain.rules, elements_change) || any_refers(chain.rules, leaving.sets)) {
            steps.push_back(FlushChain{family, chain.name});
            refills.push_back(AddRules{family, chain.name, continued(wanted->rules, chain.rules)});
        }
    }
    for (const Map& map : actual.maps) {
        if (leaving.sets.contains(map.name)) {
            steps.push_back(DeleteMap{family, map});
        }
    }
    for (const PrefixSet& set : actual.prefix_sets) {
        if (leaving.sets.contains(set.name)) {
            steps.push_back(DeleteSet{family, set.name});
        }
    }
    for (const StandingMap& map : actual.standing_maps) {
        if (leaving.sets.contains(map.name)) {
            steps.push_back(DeleteSet{family, map.name});
        }
    }
    for (const std::string& name : leaving.chains) {
        steps.push_back(DeleteChain{family, name});
    }
    return refills;
}

// Rules hold maps and chains, and verdict maps hold chains: they go in this order, and come in the opposite one.
void plan_table(const Table& desired, const Table& actual, Plan& steps) {
    const Family family = desired.family;
    const Leaving leaving(desired, actual);
    Plan fills = fill_maps(desired, actual, leaving.sets);
    Plan refills = take_away(desired, actual, leaving, !fills.empty(), steps);
    append(steps, std::move(fills));
    for (const PrefixSet& set : desired.prefix_sets) {
        if (!find_named(actual.prefix_sets, set.name) || leaving.sets.contains(set.name)) {
            steps.push_back(AddPrefixSet{family, set});
        }
    }
    for (const StandingMap& map : desired.standing_maps) {
        if (!find_named(actual.standing_maps, map.name) || leaving.sets.contains(map.name)) {
            steps.push_back(AddStandingMap{family, map});
        }
    }
    for (const Chain& chain : desired.chains) {
        const Chain* old = find_named(actual.chains, chain.name);
        if (!old || leaving.chains.contains(chain.name)) {
            steps.push_back(AddChain{family, continued(chain, old)});
        }
    }
    append(steps, std::move(refills));
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

std::size_t count_elements(const Plan& plan) {
    std::size_t count = 0;
    for (const Step& step : plan) {
        if (const auto* add = std::get_if<AddElements>(&step)) {
            count += add->map.elements.size();
        } else if (const auto* remove = std::get_if<DeleteElements>(&step)) {
            count += remove->map.elements.size();
        }
    }
    return count;
}

bool asks(const Table& table, const std::string& map) {
    const auto is_foreign = [](const Statement& statement) { return std::holds_alternative<Foreign>(statement); };
    const auto may_ask = [&](const Rule& rule) {
        return any_refers({rule}, {map}) || std::any_of(rule.statements.begin(), rule.statements.end(), is_foreign);
    };
    return std::any_of(table.chains.begin(), table.chains.end(), [&](const Chain& chain) {
        return std::any_of(chain.rules.begin(), chain.rules.end(), may_ask);
    });
}

std::vector<Selection> carried_over(const Plan& plan, const Ruleset& actual) {
    std::vector<Selection> selections;
    for (const Step& step : plan) {
        const auto* add = std::get_if<AddElements>(&step);
        const Table* table = add && add->map.counters ? find(actual, add->family) : nullptr;
        const Map* map = table ? find_named(table->maps, add->map.name) : nullptr;
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

}  // namespace statnat
