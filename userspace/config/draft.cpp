// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/draft.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

namespace statnat {

void Draft::add_pairs_file(const std::filesystem::path& path) {
    std::error_code ignored;
    const std::filesystem::path real = std::filesystem::weakly_canonical(path, ignored);
    if (known_pairs_files_.insert((real.empty() ? path : real).native()).second) {
        files_.push_back(path);
    }
}

void Draft::start_over(bool careful) {
    careful_ = careful;
    configuration = {};
    npt = false;
    settings_.clear();
    entries_.clear();
    excludes_.clear();
    excepts_.clear();
    errors_.clear();
}

void Draft::set(std::string_view key, std::string value, Position at) {
    const auto known = settings_.find(key);
    if (known == settings_.end()) {
        settings_.emplace(key, Setting{std::move(value), at});
    } else if (known->second.value != value) {
        error(at, fmt::format("{} is {} here, but {} before{}: legal is one value in all files", key, value,
                              known->second.value, mention(known->second.at)));
    }
}

void Draft::settle() {
    settle_error_sources();
    settle_destinations();
    settle_vrf();
    settle_conntrack();
    settle_fast_path();
}

void Draft::settle_error_sources() {
    for (const Family family : families) {
        if (const auto found = settings_.find(error_source_of(family)); found != settings_.end()) {
            keep_from_native(found->second.at, "icmp-error-source by the engine \"native\": legal is it by "
                                               "\"expression\" or \"auto\", since stock rules do not look into errors");
        }
    }
}

void Draft::settle_destinations() {
    const auto only = settings_.find("only-destinations");
    if (only == settings_.end() || configuration.only_destinations.empty()) {
        return;
    }
    const auto refuse = [&](std::string_view key) {
        error(only->second.at, fmt::format("only-destinations beside {}: legal is one of them", key));
    };
    if (!configuration.exempt_destinations.empty()) {
        refuse("exempt-destinations");
    }
    if (configuration.fail_closed) {
        refuse("fail-closed");
    }
    const std::vector<Prefix>& all = configuration.only_destinations;
    if (std::any_of(all.begin(), all.end(), [](const Prefix& prefix) { return prefix.length == 0; })) {
        error(only->second.at, "only-destinations has a prefix of length 0: legal is no such key, for all of them");
    }
    for (const Family family : families) {
        const auto of_family = [&](const Prefix& prefix) { return prefix.address.family == family; };
        const auto count = std::count_if(all.begin(), all.end(), of_family);
        if (count > most_in_rule) {
            error(only->second.at, fmt::format("only-destinations has {} of {}: legal are up to {} of each family",
                                               count, name(family), most_in_rule));
        }
    }
}

void Draft::settle_vrf() {
    const auto vrf = settings_.find("vrf");
    if (vrf == settings_.end()) {
        return;
    }
    const Position at = vrf->second.at;
    if (!settings_.contains("mark")) {
        error(at, "vrf without mark: legal beside it is a bit of packets' marks that nobody else uses, such as "
                  "mark = 0x00010000");
    }
    if (!configuration.external_interfaces.empty() || configuration.fail_closed) {
        error(at, configuration.fail_closed ? "vrf beside fail-closed: legal is one of them"
                                            : "vrf beside external-interfaces: legal is one of them");
    }
    configuration.vrf->mark = configuration.mark;
}

void Draft::settle_conntrack() {
    if (configuration.conntrack != Conntrack::follow) {
        return;
    }
    const Position at = settings_.find("conntrack")->second.at;
    if (configuration.vrf) {
        error(at, "conntrack = \"follow\" beside vrf: legal is one of them, since conntrack knows no two hosts with "
                  "one internal address apart");
    }
    if (configuration.external_interfaces.empty()) {
        refuse_many_exempt("conntrack = \"follow\"", at);
    }
    keep_from_native(at, "conntrack = \"follow\" by the engine \"native\": legal is it by \"expression\" or \"auto\", "
                         "since stock rules do not translate what ICMP errors quote, by which conntrack knows them");
}

void Draft::settle_fast_path() {
    if (configuration.fast_path) {
        const Position at = settings_.find("fast-path")->second.at;
        if (const auto objection = objection_to_fast_path(configuration)) {
            error(at, *objection);
        }
        refuse_many_exempt("fast-path", at);
        keep_from_native(at, std::string(fast_path_by_native));
    }
}

void Draft::keep_from_native(Position at, std::string why) {
    configuration.not_for_native = error_at(at, std::move(why));
}

void Draft::refuse_many_exempt(std::string_view why, Position at) {
    const std::vector<Prefix>& exempt = configuration.exempt_destinations;
    if (std::any_of(exempt.begin(), exempt.end(), [](const Prefix& prefix) { return prefix.length == 0; })) {
        error(at, fmt::format("{} beside an exempt destination of length 0: legal is one of them, since nothing is "
                              "left to be translated",
                              why));
    }
    for (const Family family : families) {
        const auto of_family = [&](const Prefix& prefix) { return prefix.address.family == family; };
        if (std::count_if(exempt.begin(), exempt.end(), of_family) > most_in_rule) {
            error(at, fmt::format("{} beside more than {} exempt-destinations of {}: legal are as many; what does not "
                                  "cross external-interfaces needs none",
                                  why, most_in_rule, family == Family::ipv4 ? "IPv4" : "IPv6"));
        }
    }
}

std::optional<Prefix> Draft::side(std::string_view text, Position at) {
    const auto prefix = Prefix::parse(text);
    if (!prefix) {
        error(at, not_a_side(text));
    }
    return prefix;
}

void Draft::read_external(std::string_view text, Position at, Entry& entry) {
    entry.external_at = at;
    entry.follows = InterfaceSide::parse(text);
    if (!entry.follows) {
        entry.pair.external = side(text, at);
    }
}

void Draft::look_up_external(Entry& entry) {
    if (!addresses_) {
        addresses_ = ask_ ? ask_() : std::vector<InterfaceAddress>();
    }
    entry.pair.settle(npt);
    auto [prefix, why_not] = look_up(*entry.follows, *entry.pair.internal, *entry.pair.npt, *addresses_);
    entry.pair.external = prefix;
    entry.pair.settle(npt);
    configuration.interface_pairs.push_back({entry.pair, *entry.follows, std::move(why_not)});
}

// None is wrong, and none waits: it may be the one that is meant.
bool Draft::knows_all_pairs() const {
    return errors_.empty() && std::none_of(configuration.interface_pairs.begin(), configuration.interface_pairs.end(),
                                           [](const InterfacePair& one) { return one.waits(); });
}

void Draft::take(Entry entry) {
    if (entry.follows && entry.pair.internal) {
        look_up_external(entry);
    }
    judge(entry);
    const auto& [internal, external, npt_wanted, comment, inbound] = entry.pair;
    if (internal && external) {
        if (!internal->is_host() && !configuration.not_for_native) {
            configuration.not_for_native = error_at(entry.internal_at, *why_not_native(entry.pair.pair()));
        }
        configuration.pairs.push_back(entry.pair.pair());
    }
    if (careful_) {
        entries_.push_back(std::move(entry));
    }
}

void Draft::judge(Entry& entry) {
    entry.pair.settle(npt);
    for (PartObjection& objection : objections(entry.pair)) {
        switch (objection.part) {
        case Part::internal:
            error(entry.internal_at, std::move(objection.sentence));
            entry.pair.internal.reset();
            break;
        case Part::external:
            error(entry.external_at, std::move(objection.sentence));
            entry.pair.external.reset();
            break;
        case Part::npt:
            error(entry.npt_at, std::move(objection.sentence));
            entry.pair.npt = false;
            break;
        case Part::comment:
            error(entry.comment_at, std::move(objection.sentence));
            break;
        }
    }
}

// The same one may come twice, as an exempt destination may.
void Draft::settle_excludes() {
    Pairs& pairs = configuration.pairs;
    const bool all_pairs_known = knows_all_pairs();
    std::set<Prefix> known;
    for (Exclude& one : excludes_) {
        auto [internal, objection] = exclusion(one.as_written, pairs);
        if (!internal && all_pairs_known) {
            error(one.at, std::move(objection));
        } else if (internal && known.insert(*internal).second) {
            one.internal = internal;
        }
    }
    for (const Prefix& internal : known) {
        pairs.exclude(internal);
    }
}

void Draft::settle_inbound() {
    std::set<Prefix> waiting;
    for (const InterfacePair& one : configuration.interface_pairs) {
        if (one.waits() && !one.pair.inbound) {
            waiting.insert(*one.pair.internal);
        }
    }
    // Where a pair is wrong, it may be the one that is missing.
    for (const Pair& pair : errors_.empty() ? configuration.pairs.unanswered() : std::vector<Pair>()) {
        if (waiting.contains(pair.internal)) {
            continue;
        }
        const auto is_it = [&](const Entry& entry) {
            return entry.pair.inbound && entry.pair.internal == pair.internal && entry.pair.external == pair.external;
        };
        const auto entry = std::find_if(entries_.begin(), entries_.end(), is_it);
        error(entry == entries_.end() ? Position{} : entry->internal_at, sentence_of_unanswered(pair));
    }
    if (!waiting.empty()) {
        set_aside(waiting);
    }
}

// What is inbound for them: their answers would show the internal address.
void Draft::set_aside(const std::set<Prefix>& hosts) {
    Pairs rest;
    for (const Pair& pair : configuration.pairs) {
        if (pair.inbound && hosts.contains(pair.internal)) {
            configuration.waiting_inbound.push_back(pair);
        } else {
            rest.push_back(pair);
        }
    }
    rest.sort();
    configuration.pairs = std::move(rest);
}

void Draft::settle_exceptions() {
    const bool all_pairs_known = knows_all_pairs();
    std::set<Exception> known;
    for (const auto& [exception, at] : excepts_) {
        if (const auto objection = objection_to_exception(exception, configuration, all_pairs_known)) {
            error(at, *objection);
        }
        known.insert(exception);
    }
    if (known.size() > most_exceptions) {
        error(excepts_.back().second, fmt::format("except has {} exceptions: legal are up to {}, since each is asked "
                                                  "for in rules of its own",
                                                  known.size(), most_exceptions));
    }
    configuration.exceptions.assign(known.begin(), known.end());
}

Configuration Draft::finish() {
    refuse_collisions();
    throw_errors();
    return std::move(configuration);
}

void Draft::refuse_collisions() {
    std::vector<Candidate> all;
    for (const Entry& entry : entries_) {
        const auto& [internal, external, npt_wanted, comment, inbound] = entry.pair;
        all.push_back({internal, external, npt_wanted.value_or(false), false, inbound});
    }
    std::vector<Position> excluded_at;
    for (const Exclude& one : excludes_) {
        if (one.internal) {
            all.push_back({one.internal, std::nullopt, false, true});
            excluded_at.push_back(one.at);
        }
    }
    const auto at = [&](std::size_t candidate, Side side) {
        return candidate < entries_.size() ? entries_[candidate].at(side) : excluded_at[candidate - entries_.size()];
    };
    for (const Collision& collision : overlaps(all).collisions) {
        error(at(collision.later, collision.later_side),
              sentence(collision, all, mention(at(collision.earlier, collision.earlier_side))));
    }
}

std::string Draft::mention(Position at) const {
    const ConfigurationError place = error_at(at, {});
    return place.line == 0 ? fmt::format(" ({})", place.file.string())
                           : fmt::format(" ({}:{})", place.file.string(), place.line);
}

ConfigurationError Draft::error_at(Position at, std::string sentence) const {
    if (at.file == in_source) {
        return {fmt::format("etcd {}{}", source_prefix_, source_keys_[at.line - 1]), 0, 0, std::move(sentence)};
    }
    return {files_[at.file], at.line, at.column, std::move(sentence)};
}

void Draft::throw_errors() {
    if (errors_.empty()) {
        return;
    }
    std::stable_sort(errors_.begin(), errors_.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    // What is wrong with an internal side is so for each of its externals.
    errors_.erase(std::unique(errors_.begin(), errors_.end()), errors_.end());
    InvalidConfiguration invalid;
    for (auto& [at, sentence] : errors_) {
        invalid.errors.push_back(error_at(at, std::move(sentence)));
    }
    throw invalid;
}

}  // namespace statnat
