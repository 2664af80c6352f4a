// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/change.hpp"

#include "actual/claims.hpp"
#include "error.hpp"
#include "journal_sink.hpp"
#include "neighbours/steps.hpp"
#include "quantity.hpp"
#include "reports/plan_text.hpp"
#include "ruleset/inventory.hpp"
#include "ruleset/layout.hpp"
#include "vrf/delivery.hpp"

#include <algorithm>
#include <optional>
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

// Nothing is contested at a generation from which on other instances change nothing until it is committed.
void refuse(const std::vector<std::string>& contested) {
    if (!contested.empty()) {
        throw CannotGoOn{fmt::format("{}; nothing has been done", fmt::join(contested, "; "))};
    }
}

using Decide = std::function<Ruleset(const Ruleset&)>;

// What an excerpt has of pairs asks for just what it holds: nothing is amiss in it, or missing.
bool is_sound(const Ruleset& excerpt) {
    const Inventory found = inventory(excerpt);
    if (!found.engine) {
        return false;
    }
    Ruleset expected = layout(found.configuration(), *found.engine);
    return widen(expected, excerpt) && plan(expected, excerpt).empty();
}

// As opposed to maps and tables, which would be made anew with what an excerpt has of them.
bool moves_elements_and_rules(const Plan& plan) {
    return std::all_of(plan.begin(), plan.end(), [](const Step& step) {
        return std::holds_alternative<AddElements>(step) || std::holds_alternative<DeleteElements>(step) ||
               std::holds_alternative<FlushChain>(step) || std::holds_alternative<AddRules>(step);
    });
}

// False: not without all in sight, which may well show that it cannot be.
bool decide_by_excerpt(const Decide& decide, const Ruleset& excerpt, Change& change) {
    try {
        change.after = decide(excerpt);
    } catch (const CannotGoOn&) {
        return false;
    }
    if (!is_sound(excerpt) || !widen(change.after, excerpt)) {
        return false;
    }
    change.plan = plan(change.after, excerpt);
    return moves_elements_and_rules(change.plan);
}

// Whatever ends a change before its end takes back what was put into maps for it.
class Unfinished {
public:
    explicit Unfinished(Kernel& kernel) : kernel_(kernel) {}
    Unfinished(const Unfinished&) = delete;
    Unfinished& operator=(const Unfinished&) = delete;
    ~Unfinished() {
        try {
            kernel_.unload();
        } catch (const CannotGoOn& failure) {
            spdlog::debug("maps that no rule asks are left: {}", failure.sentence);
        }
    }

private:
    Kernel& kernel_;
};

Change change(Kernel& kernel, const std::function<Snapshot()>& read, const Decide& decide,
              const std::function<void(const Change&)>& approve) {
    Change last;
    std::optional<Ruleset> begun;  // from what, if more than one transaction leads there
    const auto told = [&] {
        if (begun) {
            last.before = *begun;
            last.plan = plan(last.after, last.before);
        }
        return last;
    };
    const Unfinished unfinished(kernel);
    bool uncertain = false;  // whether `last` was done
    for (Patience patience = kernel.patience(); patience.lasts();) {
        Snapshot snapshot = read();
        if (uncertain && plan(last.after, snapshot.ruleset).empty()) {
            kernel.confirm(snapshot);
            return told();
        }
        if (kernel.outlasts_loading(snapshot)) {
            continue;
        }
        if (!kernel.has_loaded()) {
            begun.reset();
        }
        if (!snapshot.whole && !decide_by_excerpt(decide, snapshot.ruleset, last)) {
            spdlog::debug("an excerpt does not do: reading all");
            kernel.take_no_excerpts();
            continue;
        }
        if (snapshot.whole) {
            last.after = decide(snapshot.ruleset);
            last.plan = plan(last.after, snapshot.ruleset);
        }
        const std::vector<Selection> carried = carried_over(last.plan, snapshot.ruleset);
        if (!kernel.count(snapshot, carried)) {
            continue;
        }
        if (!carried.empty()) {
            last.plan = plan(last.after, snapshot.ruleset);
        }
        last.before = snapshot.ruleset;
        if (last.plan.empty()) {
            kernel.confirm(snapshot);
            return told();
        }
        const auto sentences =
            claims_any(last.plan) ? contested(last.after, kernel.siblings()) : std::vector<std::string>();
        if (!sentences.empty() && !snapshot.whole) {  // of the holes of a prefix it may lack some
            spdlog::debug("an excerpt may contest too much: reading all");
            kernel.take_no_excerpts();
            continue;
        }
        refuse(sentences);
        approve(last);
        if (kernel.load(last.plan, snapshot, last.after)) {
            begun = begun ? begun : last.before;
            continue;
        }
        const Committed committed = kernel.commit(last.plan, snapshot, last.after);
        if (committed == Committed::yes) {
            return told();
        }
        uncertain = committed == Committed::unknown;
        spdlog::debug("{}: planning again",
                      uncertain ? "the kernel's answer got lost" : "somebody else committed in between");
    }
    throw kernel.out_of_patience("and nothing of this is done");
}

}  // namespace

Change change(Kernel& kernel, const Decide& decide, Depth depth, const std::function<void(const Change&)>& approve) {
    return change(kernel, [&] { return kernel.read(depth); }, decide, approve);
}

Change change_around(Kernel& kernel, const Candidate& pair, const Decide& decide) {
    return change(kernel, [&] { return kernel.read_around(pair); }, decide, [](const Change&) {});
}

// Without other instances' VRFs, nobody needs the setting any more.
std::string deliver_to_vrf(Kernel& kernel, const Configuration& configuration) {
    const auto needs_no_setting = [&] {
        const std::vector<Sibling> all = kernel.siblings(Depth::known);
        return std::none_of(all.begin(), all.end(), [](const Sibling& one) { return inventory(one.ruleset).vrf; });
    };
    if (!configuration.vrf && !kernel.vrf().open()) {
        return std::string(nothing_to_change);
    }
    const bool alone = !configuration.vrf && needs_no_setting();
    return deliver(configuration, {kernel.vrf(), kernel.reflection()}, alone);
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
    if (pairs.excluded != 0) {
        parts.emplace_back("changed what is excluded");
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

void tell(std::ostream& out, const Change& change, const std::string& behind) {
    const PairCounts pairs = count_pairs(change.plan);
    tell(out, summary(change) + behind,
         {{"STATNAT_PAIRS_ADDED", std::to_string(pairs.added)},
          {"STATNAT_PAIRS_REMOVED", std::to_string(pairs.removed)},
          {"STATNAT_PAIRS_CHANGED", std::to_string(pairs.changed)}});
}

}  // namespace statnat
