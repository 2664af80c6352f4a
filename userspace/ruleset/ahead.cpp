// SPDX-License-Identifier: GPL-2.0-or-later
#include "ruleset/ahead.hpp"

#include <algorithm>
#include <string_view>
#include <variant>
#include <vector>

namespace statnat {

namespace {

constexpr std::string_view suffix = "_ahead";

bool is_ours(const Rule& rule) {
    return std::none_of(rule.statements.begin(), rule.statements.end(),
                        [](const Statement& statement) { return std::holds_alternative<Foreign>(statement); });
}

Chain ahead_of(Chain chain) {
    chain.name += suffix;
    --chain.priority;
    for (Rule& rule : chain.rules) {
        rule.traffic = {};
    }
    return chain;
}

}  // namespace

bool is_ahead(const Chain& chain) {
    return chain.name.ends_with(suffix);
}

Ruleset with_chains_ahead(Ruleset ruleset) {
    for (Table& table : ruleset) {
        std::erase_if(table.chains, is_ahead);
        std::vector<Chain> ahead;
        for (const Chain& chain : table.chains) {
            if (chain.hook && std::all_of(chain.rules.begin(), chain.rules.end(), is_ours)) {
                ahead.push_back(ahead_of(chain));
            }
        }
        table.chains.insert(table.chains.end(), ahead.begin(), ahead.end());
    }
    return ruleset;
}

}  // namespace statnat
