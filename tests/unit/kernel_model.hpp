// SPDX-License-Identifier: GPL-2.0-or-later
// A model of what the kernel accepts in one batch, step by step: it throws a sentence where the kernel would refuse.
#pragma once

#include "loose_elements.hpp"
#include "ruleset/plan.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

namespace statnat {

class KernelModel {
public:
    explicit KernelModel(Ruleset ruleset) : ruleset_(std::move(ruleset)) {}

    const Ruleset& commit(const Plan& plan) {
        for (const Step& step : plan) {
            std::visit([this](const auto& alternative) { apply(alternative); }, step);
        }
        return ruleset_;
    }

private:
    static void require(bool condition, const std::string& sentence) {
        if (!condition) {
            throw std::logic_error(sentence);
        }
    }

    template <class Named>
    static auto find(std::vector<Named>& all, const std::string& name) {
        return std::find_if(all.begin(), all.end(), [&](const Named& one) { return one.name == name; });
    }

    template <class Named>
    static Named& get(std::vector<Named>& all, const std::string& name) {
        const auto found = find(all, name);
        require(found != all.end(), "there is no " + name);
        return *found;
    }

    Table& table(Family family) {
        const auto found = std::find_if(ruleset_.begin(), ruleset_.end(),
                                        [&](const Table& one) { return one.family == family; });
        require(found != ruleset_.end(), "there is no table");
        require(!found->dormant, "a dormant table is not changed");
        return *found;
    }

    // What the tool cannot read refers as well: Foreign{"@name"} to a map, Foreign{"jump name"} to a chain.
    static bool refers(const Statement& statement, const std::string& name) {
        if (const auto* ours = std::get_if<SnatStateless>(&statement)) {
            const auto named = [&](const MapReference& map) { return map.name == name; };
            return std::any_of(ours->maps.begin(), ours->maps.end(), named) ||
                   std::any_of(ours->else_maps.begin(), ours->else_maps.end(), named);
        }
        if (const auto* ours = std::get_if<SetAddress>(&statement)) {
            return ours->map == name;
        }
        if (const auto* ours = std::get_if<MatchAddress>(&statement)) {
            return ours->set == name;
        }
        const auto* foreign = std::get_if<Foreign>(&statement);
        return foreign && foreign->expression == "@" + name;
    }

    template <class Predicate>
    static bool any_statement(const Table& table, Predicate predicate) {
        for (const Chain& chain : table.chains) {
            for (const Rule& rule : chain.rules) {
                if (std::any_of(rule.statements.begin(), rule.statements.end(), predicate)) {
                    return true;
                }
            }
        }
        return false;
    }

    static void require_not_referred_to(const Table& table, const std::string& name) {
        require(!any_statement(table, [&](const Statement& statement) { return refers(statement, name); }),
                "a rule refers to " + name);
    }

    static void require_name_is_free(Table& table, const std::string& name) {
        require(find(table.maps, name) == table.maps.end(), name + " exists");
        require(find(table.prefix_sets, name) == table.prefix_sets.end(), name + " exists");
        require(find(table.standing_maps, name) == table.standing_maps.end(), name + " exists");
    }

    static void append_rules(Table& table, Chain& chain, const std::vector<Rule>& rules) {
        for (const Rule& rule : rules) {
            for (const Statement& statement : rule.statements) {
                const auto referred = [&](const auto& one) { return refers(statement, one.name); };
                const bool needs = std::holds_alternative<SnatStateless>(statement) ||
                                   std::holds_alternative<SetAddress>(statement) ||
                                   std::holds_alternative<MatchAddress>(statement) ||
                                   std::holds_alternative<AskStanding>(statement) ||
                                   std::holds_alternative<Foreign>(statement);
                require(!needs || std::any_of(table.maps.begin(), table.maps.end(), referred) ||
                            std::any_of(table.prefix_sets.begin(), table.prefix_sets.end(), referred) ||
                            std::any_of(table.standing_maps.begin(), table.standing_maps.end(), referred),
                        "a rule refers to nothing: " + text(rule, table.family));
            }
            chain.rules.push_back(rule);
        }
    }

    void apply(const AddTable& step) {
        const auto place = std::find_if(ruleset_.begin(), ruleset_.end(),
                                        [&](const Table& one) { return one.family >= step.family; });
        require(place == ruleset_.end() || place->family != step.family, "the table exists");
        ruleset_.emplace(place)->family = step.family;
    }

    void apply(const DeleteTable& step) {
        require(std::erase_if(ruleset_, [&](const Table& one) { return one.family == step.family; }) == 1,
                "there is no table");
    }

    void apply(const AddMap& step) {
        Table& in = table(step.family);
        require_name_is_free(in, step.map.name);
        require(step.map.elements.empty(), "elements are a step of their own");
        in.maps.push_back(step.map);
    }

    void apply(const DeleteMap& step) {
        Table& in = table(step.family);
        const auto found = find(in.maps, step.map.name);
        require(found != in.maps.end(), "there is no map " + step.map.name);
        require_not_referred_to(in, step.map.name);
        in.maps.erase(found);
    }

    void apply(const AddElements& step) {
        Map& map = get(table(step.family).maps, step.map.name);
        require(!step.map.elements.empty(), "nothing to add");
        require(map.values == step.map.values && map.counters == step.map.counters, "another kind of map");
        for (const Element& element : step.map.elements) {
            require(!map.elements.find(element.key), element.key.text() + " exists");
            map.elements.push_back(element);
            map.elements.sort();
        }
        require(map.capacity == 0 || map.elements.size() <= map.capacity, map.name + " is full");
    }

    void apply(const DeleteElements& step) {
        Map& map = get(table(step.family).maps, step.map.name);
        require(!step.map.elements.empty(), "nothing to delete");
        for (const Element& element : step.map.elements) {
            const auto same = [&](const Element& one) {
                return one.key == element.key && one.value == element.value && one.comment == element.comment;
            };
            change(map.elements, [&](std::vector<Element>& elements) {
                require(std::erase_if(elements, same) == 1, element.key.text() + " does not exist");
            });
        }
    }

    void apply(const AddPrefixSet& step) {
        Table& in = table(step.family);
        require_name_is_free(in, step.set.name);
        in.prefix_sets.push_back(step.set);
    }

    void apply(const AddStandingMap& step) {
        Table& in = table(step.family);
        require_name_is_free(in, step.map.name);
        in.standing_maps.push_back(step.map);
    }

    void apply(const DeleteSet& step) {
        Table& in = table(step.family);
        require_not_referred_to(in, step.name);
        const auto named = [&](const auto& one) { return one.name == step.name; };
        require(std::erase_if(in.prefix_sets, named) + std::erase_if(in.standing_maps, named) == 1,
                "there is no set " + step.name);
    }

    void apply(const AddChain& step) {
        Table& in = table(step.family);
        require(find(in.chains, step.chain.name) == in.chains.end(), "chain " + step.chain.name + " exists");
        Chain chain = step.chain;
        chain.rules.clear();
        append_rules(in, chain, step.chain.rules);
        in.chains.push_back(chain);
    }

    void apply(const FlushChain& step) { get(table(step.family).chains, step.name).rules.clear(); }

    void apply(const AddRules& step) {
        Table& in = table(step.family);
        append_rules(in, get(in.chains, step.chain), step.rules);
    }

    void apply(const DeleteChain& step) {
        Table& in = table(step.family);
        const auto found = find(in.chains, step.name);
        require(found != in.chains.end(), "there is no chain " + step.name);
        require(found->rules.empty(), "chain " + step.name + " has rules");
        const Statement jump = Foreign{"jump " + step.name};
        require(!any_statement(in, [&](const Statement& statement) { return statement == jump; }),
                "a rule jumps to " + step.name);
        require(find(in.maps, "verdicts of " + step.name) == in.maps.end(), "a verdict map holds " + step.name);
        in.chains.erase(found);
    }

    Ruleset ruleset_;
};

}  // namespace statnat
