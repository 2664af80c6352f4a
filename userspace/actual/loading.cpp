// SPDX-License-Identifier: GPL-2.0-or-later
#include "actual/loading.hpp"

#include "error.hpp"
#include "wire/encoder.hpp"

#include <algorithm>
#include <cerrno>
#include <random>
#include <string_view>
#include <utility>
#include <variant>

#include <fmt/format.h>

namespace statnat {

namespace {

constexpr std::string_view mark_prefix = "loading-";

bool is_mark(std::string_view chain) {
    return chain.starts_with(mark_prefix);
}

// Steps that no packet notices, in transactions of a bounded size.
class Division {
public:
    Division(const Plan& plan, const Ruleset& actual) : actual_(actual) {
        for (const Step& step : plan) {
            if (const auto* gone = std::get_if<DeleteTable>(&step)) {
                made_anew_.insert(gone->family);
            }
        }
        for (const Step& step : plan) {
            std::visit([this](const auto& one) { take(one); }, step);
        }
    }

    // Tables and marks first.
    std::vector<Plan> finish() && {
        parts_.front().insert(parts_.front().begin(), front_.begin(), front_.end());
        return std::move(parts_);
    }

    // Whether rules ask a map now, or the table that it is in makes way for another one.
    bool is_in_use(Family family, const std::string& map) const {
        const Table* table = find(actual_, family);
        return made_anew_.contains(family) || (table && asks(*table, map));
    }

    std::size_t elements() const { return elements_; }
    const std::set<Family>& families() const { return families_; }

private:
    void take(const AddTable& step) { take_first(step); }
    void take(const AddMap& step) { take_map(step); }
    void take(const DeleteMap& step) { take_map(step); }
    void take(const AddElements& step) { take_elements(step); }
    void take(const DeleteElements& step) { take_elements(step); }
    void take(const FlushChain& step) { take_mark(step); }
    void take(const DeleteChain& step) { take_mark(step); }
    template <class Other>
    void take(const Other&) {}  // is left for the end

    template <class One>
    void take_first(const One& step) {
        if (!made_anew_.contains(step.family)) {
            families_.insert(step.family);
            front_.push_back(step);
        }
    }

    // Of one who does not go on any more.
    template <class OfChain>
    void take_mark(const OfChain& step) {
        if (is_mark(step.name)) {
            take_first(step);
        }
    }

    template <class OfMap>
    void take_map(const OfMap& step) {
        if (!is_in_use(step.family, step.map.name)) {
            families_.insert(step.family);
            parts_.back().push_back(step);
        }
    }

    template <class OfElements>
    void take_elements(const OfElements& step) {
        const std::size_t all = is_in_use(step.family, step.map.name) ? 0 : step.map.elements.size();
        for (std::size_t first = 0; first < all;) {
            if (room_ == 0) {
                parts_.emplace_back();
                room_ = most_at_once;
            }
            const std::size_t some = std::min(room_, all - first);
            OfElements part = step;
            part.map.elements = step.map.elements.part(first, some);
            parts_.back().push_back(std::move(part));
            families_.insert(step.family);
            first += some;
            room_ -= some;
            elements_ += some;
        }
    }

    const Ruleset& actual_;
    std::set<Family> made_anew_{};
    std::set<Family> families_{};
    Plan front_{};
    std::vector<Plan> parts_{1};
    std::size_t room_ = most_at_once;
    std::size_t elements_ = 0;
};

}  // namespace

std::optional<std::string> loading_mark(const Ruleset& ruleset) {
    for (const Table& table : ruleset) {
        for (const Chain& chain : table.chains) {
            if (is_mark(chain.name)) {
                return chain.name;
            }
        }
    }
    return std::nullopt;
}

std::optional<Loading> Loading::of(const Plan& plan, const Ruleset& actual, const Ruleset& after) {
    if (count_elements(plan) <= most_at_once) {
        return std::nullopt;
    }
    Division parts(plan, actual);
    if (parts.elements() == 0) {
        return std::nullopt;
    }
    Loading loading;
    std::random_device random;
    loading.who_ = random();
    loading.families_ = parts.families();
    for (const Table& table : after) {
        for (const Map& map : table.maps) {
            if (loading.families_.contains(table.family) && !parts.is_in_use(table.family, map.name)) {
                loading.contents_[{table.family, map.name}] = map.elements;
            }
        }
    }
    loading.parts_ = std::move(parts).finish();
    return loading;
}

bool Loading::run(Netlink& netlink, const std::string& table, std::uint32_t generation,
                  const std::function<void(std::size_t)>& done) {
    std::size_t elements = 0;
    for (; committed_ < parts_.size(); ++committed_) {
        const Plan plan = transaction();
        const bool is_first = committed_ == 0;
        const Batch batch = encode(plan, table, is_first ? std::optional(generation) : std::nullopt,
                                   netlink.next_sequence());
        const Outcome outcome = netlink.commit(batch);
        if (outcome.result == Result::done) {
            done(elements += count_elements(plan));
            continue;
        }
        const bool has_changed =
            is_first ? outcome.refusal.error == ERESTART
                     : outcome.refusal.error == ENOENT && batch.step(outcome.refusal.sequence) < families_.size();
        if (outcome.result == Result::unknown || has_changed) {
            return false;
        }
        undo(netlink, table);
        throw CannotGoOn{sentence(outcome.refusal, batch, plan)};
    }
    return true;
}

bool Loading::stands_in(const Ruleset& ruleset) const {
    return std::all_of(families_.begin(), families_.end(), [&](Family family) {
        const Table* table = find(ruleset, family);
        return table && find_named(table->chains, mark(committed_));
    });
}

void Loading::undo(Netlink& netlink, const std::string& table) {
    if (committed_ == 0) {
        return;
    }
    Plan plan;
    for (const Family family : families_) {
        plan.push_back(DeleteChain{family, mark(committed_)});
    }
    std::set<Family> tables;  // go with all that is in them; they were made first of all
    for (std::size_t part = 0; part < committed_; ++part) {
        for (const Step& step : parts_[part]) {
            if (const auto* table_made = std::get_if<AddTable>(&step)) {
                tables.insert(table_made->family);
                plan.push_back(DeleteTable{table_made->family});
            } else if (const auto* made = std::get_if<AddMap>(&step); made && !tables.contains(made->family)) {
                plan.push_back(DeleteMap{made->family, made->map});
            }
        }
    }
    committed_ = 0;
    netlink.commit(encode(plan, table, std::nullopt, netlink.next_sequence()));
}

// Behind so many transactions.
std::string Loading::mark(std::size_t committed) const {
    return fmt::format("{}{:08x}-{}", mark_prefix, who_, committed);
}

Plan Loading::transaction() const {
    Plan plan;
    if (committed_ != 0) {
        for (const Family family : families_) {
            plan.push_back(DeleteChain{family, mark(committed_)});
        }
    }
    const Plan& part = parts_[committed_];
    plan.insert(plan.end(), part.begin(), part.end());
    for (const Family family : families_) {
        Chain chain;
        chain.name = mark(committed_ + 1);
        chain.comment = "statnat-nft is loading pairs; rules follow";
        plan.push_back(AddChain{family, std::move(chain)});
    }
    return plan;
}

}  // namespace statnat
