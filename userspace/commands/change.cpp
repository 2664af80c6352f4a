// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/change.hpp"

#include "quantity.hpp"
#include "ruleset/plan_text.hpp"

#include <algorithm>
#include <variant>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

namespace statnat {

namespace {

bool replaces_maps(const Plan& plan) {
    const auto comes_again = [&](const DeleteMap& old) {
        return std::any_of(plan.begin(), plan.end(), [&](const Step& step) {
            const auto* now = std::get_if<AddMap>(&step);
            return now && now->family == old.family && now->map.name == old.map.name;
        });
    };
    return std::any_of(plan.begin(), plan.end(), [&](const Step& step) {
        const auto* old = std::get_if<DeleteMap>(&step);
        return old && comes_again(*old);
    });
}

bool writes_rules(const Plan& plan) {
    return std::any_of(plan.begin(), plan.end(), [](const Step& step) {
        return std::holds_alternative<AddChain>(step) || std::holds_alternative<AddRules>(step);
    });
}

}  // namespace

Change change(Kernel& kernel, const std::function<Ruleset(const Ruleset&)>& decide, Depth depth,
              const std::function<void(const Change&)>& approve) {
    Change last;
    bool uncertain = false;  // whether `last` was done
    for (Patience patience = kernel.patience(); patience.lasts();) {
        Snapshot snapshot = kernel.read(depth);
        if (uncertain && plan(last.after, snapshot.ruleset).empty()) {
            return last;
        }
        last.after = decide(snapshot.ruleset);
        last.plan = plan(last.after, snapshot.ruleset);
        const std::vector<Selection> carried = carried_over(last.plan, snapshot.ruleset);
        if (!kernel.count(snapshot, carried)) {
            continue;
        }
        if (!carried.empty()) {
            last.plan = plan(last.after, snapshot.ruleset);
        }
        last.before = snapshot.ruleset;
        if (last.plan.empty()) {
            return last;
        }
        approve(last);
        const Committed committed = kernel.commit(last.plan, snapshot, last.after);
        if (committed == Committed::yes) {
            return last;
        }
        uncertain = committed == Committed::unknown;
        spdlog::debug("{}: planning again",
                      uncertain ? "the kernel's answer got lost" : "somebody else committed in between");
    }
    throw kernel.out_of_patience("and nothing of this is done");
}

std::string summary(const Change& change) {
    if (change.plan.empty()) {
        return "nothing to change";
    }
    std::vector<std::string> parts;
    const PairCounts pairs = count_pairs(change.plan);
    for (const auto& [verb, number] :
         {std::pair("added", pairs.added), {"removed", pairs.removed}, {"changed", pairs.changed}}) {
        if (number != 0) {
            parts.push_back(fmt::format("{} {}", verb, quantity(number, "pair")));
        }
    }
    if (replaces_maps(change.plan)) {
        parts.emplace_back("replaced maps");
    }
    if (writes_rules(change.plan)) {
        parts.emplace_back("wrote rules");
    }
    if (change.after.empty()) {
        parts.emplace_back(change.before.size() == 1 ? "deleted the table" : "deleted the tables");
    }
    return parts.empty() ? "repaired the table" : fmt::format("{}", fmt::join(parts, ", "));
}

}  // namespace statnat
