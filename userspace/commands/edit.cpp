// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/edit.hpp"

#include "commands/change.hpp"
#include "commands/desired.hpp"
#include "commands/engine.hpp"
#include "error.hpp"
#include "fence/upkeep.hpp"
#include "pairs/objections.hpp"
#include "ruleset/inventory.hpp"

#include <algorithm>
#include <iterator>
#include <optional>
#include <system_error>
#include <vector>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace statnat {

namespace {

namespace fs = std::filesystem;

// Says when the file at its default place does not have the pair as the kernel now has it; a missing file says nothing.
void note_disagreement(const fs::path& file, const Pair& pair, bool present) {
    std::error_code ignored;
    if (!fs::exists(file, ignored)) {
        return;
    }
    try {
        const Configuration configuration = read_here(file);
        if (configuration.source) {
            spdlog::warn("{} has its pairs from etcd, where this is not known: publish {} keeps it, and the next sync "
                         "undoes it",
                         file.string(), present ? "add" : "del");
            return;
        }
        const auto other = configuration.pairs.find(pair.external, Side::external);
        const bool in_file = other && other->internal == pair.internal && other->kind() == pair.kind();
        if (present && !in_file) {
            spdlog::warn("{} does not have this pair: the next sync removes it", file.string());
        } else if (!present && in_file) {
            spdlog::warn("{} still has this pair: the next sync adds it again", file.string());
        }
    } catch (const InvalidConfiguration&) {
        spdlog::warn("{} has errors: whether it agrees is not known (statnat-nft check {})", file.string(),
                     file.string());
    }
}

Prefix parse_side(const std::string& text) {
    if (const auto prefix = Prefix::parse(text)) {
        return *prefix;
    }
    throw CannotGoOn{not_a_side(text), exit_usage};
}

// "address", or "address; 10.1.0.0/24 203.0.113.0/24 covers it" to say what could be deleted instead.
std::string no_pair_has(const Prefix& side, const Pairs& pairs) {
    std::string what = side.is_host() ? "address" : "prefix";
    for (const Pair& pair : pairs) {
        if (pair.internal.covers(side) || pair.external.covers(side)) {
            what += fmt::format("; {} covers it", pair.text());
        }
    }
    return what;
}

// What a gateway without pairs starts from.
Configuration settings_of(const fs::path& file) {
    std::error_code ignored;
    Configuration settings;
    if (fs::exists(file, ignored)) {
        settings = read_here(file);
        settings.pairs = {};
        settings.interface_pairs.clear();
        settings.waiting_inbound.clear();
        settings.not_for_native.reset();
    }
    return settings;
}

// What a new pair starts from: what the kernel says, and for a family that has no table yet, what the file exempts and
// excepts.
Configuration settings_beside(const Inventory& found, Family family, const fs::path& file) {
    if (!found.engine) {
        return settings_of(file);
    }
    Configuration settings = found.configuration();
    if (!found.has_table(family)) {
        const Configuration of_file = settings_of(file);
        const auto take = [](const auto& all, auto& into, auto is_meant) {
            std::copy_if(all.begin(), all.end(), std::back_inserter(into), is_meant);
        };
        const auto of_family = [&](const auto& one) { return one.address.family == family; };
        take(of_file.exempt_destinations, settings.exempt_destinations, of_family);
        take(of_file.only_destinations, settings.only_destinations, of_family);
        take(of_file.exceptions, settings.exceptions, of_family);
        take(of_file.icmp_error_sources, settings.icmp_error_sources,
             [&](const Address& address) { return address.family == family; });
        std::sort(settings.exceptions.begin(), settings.exceptions.end());
    }
    return settings;
}

// By the engine that the kernel has; where no rule tells, by that of the settings.
Loadable by_present_engine(Kernel& kernel, const Inventory& found, const Configuration& wanted, const Ruleset& actual) {
    return found.engine ? Loadable{*found.engine, wanted} : loadable(kernel, wanted.engine, wanted, actual);
}

// As far as one pair asks for it; the next sync makes it what all of them ask for.
void close(Kernel& kernel, const Ruleset& after, const Pairs& coming) {
    deliver_to_vrf(kernel, inventory(after).configuration());
    if (kernel.instance().is_named()) {
        return;
    }
    Configuration of_one = inventory(after).configuration();
    of_one.pairs = coming;
    std::vector<Family> left;
    for (const Table& table : after) {
        left.push_back(table.family);
    }
    close_around(of_one, left, kernel.fence());
}

}  // namespace

int add(Kernel& kernel, const fs::path& file, const Addition& addition, std::ostream& out) {
    const std::string cannot = fmt::format("cannot add {} {}: ", addition.internal, addition.external);
    Proposal proposal{parse_side(addition.internal), parse_side(addition.external), addition.npt, addition.comment,
                      addition.inbound};
    proposal.settle(false);
    if (const auto alone = objections(proposal); !alone.empty()) {
        throw CannotGoOn{cannot + alone.front().sentence, exit_usage};
    }
    const Pair pair = proposal.pair();
    const Candidate coming{pair.internal, pair.external, pair.npt, false, pair.inbound};
    Loadable loaded;
    const Change done = change_around(kernel, coming, [&](const Ruleset& actual) {
        const Inventory found = inventory(actual);
        if (const auto reason = why_not(proposal, found.pairs)) {
            throw CannotGoOn{cannot + *reason};
        }
        Configuration wanted = settings_beside(found, pair.internal.address.family, file);
        wanted.pairs = found.pairs;
        wanted.pairs.push_back(pair);
        wanted.pairs.sort();
        loaded = by_present_engine(kernel, found, wanted, actual);
        const auto reason = why_not_native(pair);
        if (loaded.engine == Engine::native && reason) {
            throw CannotGoOn{cannot + *reason};
        }
        return loaded.ruleset();
    });
    close(kernel, done.after, {pair});
    tell(out, done);
    warn_of_losses(loaded);
    note_disagreement(file, pair, true);
    return loaded.status();
}

int del(Kernel& kernel, const fs::path& file, const std::string& text, std::ostream& out) {
    const Prefix side = parse_side(text);
    Pair pair;
    Loadable loaded;
    const Candidate leaving_side{side, {}, false};
    const Change done = change_around(kernel, leaving_side, [&](const Ruleset& actual) {
        const Inventory found = inventory(actual);
        Configuration wanted = found.configuration();
        auto leaving = wanted.pairs.find(side, Side::internal);
        if (!leaving) {
            leaving = wanted.pairs.find(side, Side::external);
        }
        if (!leaving) {
            throw CannotGoOn{
                fmt::format("cannot delete {}: no pair has this {}", text, no_pair_has(side, wanted.pairs))};
        }
        pair = *leaving;
        wanted.pairs = wanted.pairs.without(pair);
        if (const auto reason = why_not_without(wanted.pairs)) {
            throw CannotGoOn{fmt::format("cannot delete {}, because without it {}", text, *reason)};
        }
        loaded = by_present_engine(kernel, found, wanted, actual);
        return loaded.ruleset();
    });
    close(kernel, done.after, {});
    tell(out, done);
    warn_of_losses(loaded);
    note_disagreement(file, pair, false);
    return loaded.status();
}

}  // namespace statnat
