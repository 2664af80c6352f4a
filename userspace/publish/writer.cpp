// SPDX-License-Identifier: GPL-2.0-or-later
#include "publish/writer.hpp"

#include "config/configuration_files.hpp"
#include "error.hpp"
#include "quantity.hpp"
#include "source/snapshot.hpp"
#include "source/value.hpp"

#include <algorithm>
#include <chrono>
#include <random>
#include <thread>
#include <utility>

#include <fmt/format.h>

namespace statnat {
namespace {

// How often something is decided anew because others have published meanwhile, and how long it pauses at most.
constexpr int most_attempts = 200;
constexpr int longest_pause = 20;  // milliseconds

// As sync has it: of fewer, half may well go.
constexpr std::size_t least_to_halve = 10;

// What fits into a transaction of etcd, if they are hosts.
constexpr std::ptrdiff_t most_moves = 31;

void pause_a_little() {
    static std::mt19937 random{std::random_device{}()};
    std::uniform_int_distribution<int> any(1, longest_pause);
    std::this_thread::sleep_for(std::chrono::milliseconds(any(random)));
}

CannotGoOn refusal(std::string_view what, std::string_view why) {
    return {fmt::format("cannot publish {}: {}; nothing has been done", what, why)};
}

}  // namespace

Writer::Writer(const Source& source) : source_(source), store_(source) {}

Published Writer::again_and_again(const std::function<bool(Published&)>& attempt) {
    Published done;
    const auto away = [&](const std::string& why) {
        const std::string half = fmt::format("; {} had been published by then: publish the rest by the same command",
                                             quantity(done.sum(), "pair"));
        return CannotGoOn{sentence_of_away(why) + (done.sum() == 0 ? "" : half), exit_no_source};
    };
    try {
        for (int tried = 0; tried < most_attempts; ++tried) {
            const std::size_t before = done.sum();
            if (attempt(done)) {
                return done;
            }
            tried = done.sum() == before ? tried : 0;
            pause_a_little();
        }
    } catch (const EtcdAway& failure) {
        throw away(failure.sentence);
    } catch (const HttpFailure& failure) {
        throw away(failure.sentence);
    } catch (const EtcdCompacted&) {
        throw away("it forgets what is being read (compaction)");
    }
    throw CannotGoOn{fmt::format("others publish all the time: gave up after {} attempts", most_attempts)};
}

Published Writer::add(const Proposal& pair) {
    const std::string text = fmt::format("{} {}", pair.internal->short_text(), pair.external->short_text());
    if (const auto wrong = objections(pair); !wrong.empty()) {
        throw refusal(text, wrong.front().sentence);
    }
    const Pair wanted = pair.pair();
    return again_and_again([&](Published& done) {
        const auto tried = wanted.internal.is_host() ? try_to_add_host(pair, done) : std::nullopt;
        if (tried) {
            return *tried;
        }
        return try_among_all(
            [&](const StoreState& state) {
                const Pairs others = pairs_of(state.pairs);
                if (others.find(wanted.external, Side::external) == std::optional(wanted)) {
                    return Wanted{};
                }
                if (const auto why = why_not(pair, others)) {
                    throw refusal(text, *why);
                }
                std::vector<Pair> of_host{wanted};
                for (const Pair& other : others) {
                    if (other.internal == wanted.internal) {
                        of_host.insert(wanted.inbound ? of_host.end() - 1 : of_host.end(), other);
                    }
                }
                return Wanted{{wanted.internal.short_text(), value_of(of_host)}};
            },
            done);
    });
}

// A host beside hosts can only collide with what has one of its two addresses. Nothing: there are prefixes. False:
// somebody has published meanwhile.
std::optional<bool> Writer::try_to_add_host(const Proposal& pair, Published& done) {
    const std::string internal = pair.internal->short_text();
    const std::string external = pair.external->short_text();
    const std::string text = internal + " " + external;
    const SourceKeys& keys = store_.keys();
    const EtcdKeys found = store_.get({keys.pair(internal), keys.external(external), keys.pair(external),
                                       keys.external(internal), keys.prefixes(), keys.last()});
    StoreState state;
    state.prefixes = found.keys[4];
    state.last = found.keys[5];
    if (state.prefixes.changed_at != 0) {
        return std::nullopt;
    }
    const EtcdKey& own = found.keys[0];
    const EtcdKey& owner = found.keys[1];
    constexpr std::string_view one_side = "legal is an address on one side only";
    if (found.keys[2].changed_at != 0) {
        throw refusal(text, fmt::format("{} is already an internal address: {}", external, one_side));
    }
    if (found.keys[3].changed_at != 0) {
        throw refusal(text, fmt::format("{} is already the external address of {}: {}", internal, found.keys[3].value,
                                        one_side));
    }
    const SourcePair before = own.changed_at != 0 ? read_value(own.value) : SourcePair{};
    if (owner.changed_at != 0 && owner.value != internal) {
        const EtcdKeys other = store_.get({keys.pair(owner.value)});
        if (contains(externals_of(read_value(other.keys[0].value)), external)) {
            throw refusal(text, fmt::format("{} is already the external address of {}", external, owner.value));
        }
        state.pairs[owner.value] = other.keys[0];  // whom it was left to by somebody who does not publish
    }
    if (contains(externals_of(before), external)) {
        return true;
    }
    if (pair.inbound && own.changed_at == 0) {
        throw refusal(text, sentence_of_unanswered(pair.pair()));
    }
    if (!pair.inbound && own.changed_at != 0) {
        throw refusal(text, fmt::format("{} is already the internal address of {}", internal, before.external));
    }
    std::vector<Pair> of_host{pair.pair()};
    if (pair.inbound) {
        const Pairs all = pairs_of({{internal, own}});
        of_host.clear();
        for (const Pair& other : all) {
            of_host.push_back(other);
        }
        of_host.push_back(pair.pair());
    }
    state.pairs[internal] = own;
    state.owners[external] = owner;
    std::int64_t last = 0;
    return store_.commit({Store::move(state, internal, value_of(of_host))}, state, false, last, done);
}

Published Writer::del(const Prefix& side) {
    const std::string text = side.short_text();
    return again_and_again([&](Published& done) {
        if (const auto tried = side.is_host() ? try_to_delete_host(side, done) : std::nullopt) {
            return *tried;
        }
        return try_among_all(
            [&](const StoreState& state) {
                const Pairs all = pairs_of(state.pairs);
                auto leaving = all.find(side, Side::internal);
                leaving = leaving ? leaving : all.find(side, Side::external);
                if (!leaving) {
                    throw CannotGoOn{fmt::format("cannot delete {}: no pair has it", text)};
                }
                if (const auto why = why_not_without(all.without(*leaving))) {
                    throw CannotGoOn{fmt::format("cannot delete {}, because without it {}", text, *why)};
                }
                std::vector<Pair> rest;
                for (const Pair& other : all) {
                    if (leaving->inbound && other.internal == leaving->internal && other != *leaving) {
                        rest.push_back(other);
                    }
                }
                return Wanted{{leaving->internal.short_text(), rest.empty() ? "" : value_of(rest)}};
            },
            done);
    });
}

std::optional<bool> Writer::try_to_delete_host(const Prefix& side, Published& done) {
    const std::string text = side.short_text();
    const SourceKeys& keys = store_.keys();
    const EtcdKeys found =
        store_.get({keys.pair(text), keys.external(text), keys.prefixes(), keys.last(), keys.removed()});
    StoreState state;
    state.prefixes = found.keys[2];
    state.last = found.keys[3];
    state.removed = found.keys[4];
    if (state.prefixes.changed_at != 0) {
        return std::nullopt;
    }
    std::string internal = text;
    EtcdKey own = found.keys[0];
    if (own.changed_at == 0 && found.keys[1].changed_at != 0) {
        internal = found.keys[1].value;
        own = store_.get({keys.pair(internal)}).keys[0];
    }
    if (own.changed_at == 0) {
        throw CannotGoOn{fmt::format("cannot delete {}: no pair has it", text)};
    }
    state.pairs[internal] = own;
    std::vector<std::string> asked;
    const std::vector<std::string> externals = externals_of(read_value(own.value));
    for (const std::string& external : externals) {
        asked.push_back(keys.external(external));
    }
    const EtcdKeys owners = store_.get(asked);
    for (std::size_t i = 0; i < externals.size(); ++i) {
        state.owners[externals[i]] = owners.keys[i];
    }
    std::vector<Pair> rest;  // without a further address alone, by which it was named
    for (const Pair& other : pairs_of({{internal, own}})) {
        if (internal != text && externals.front() != text && other.external.short_text() != text) {
            rest.push_back(other);
        }
    }
    std::int64_t last = 0;
    return store_.commit({Store::move(state, internal, rest.empty() ? "" : value_of(rest))}, state, false, last, done);
}

Published Writer::replace(const Pairs& pairs, bool force) {
    Wanted wanted;
    for (PairIterator next = pairs.begin(); next != pairs.end();) {
        std::vector<Pair> of_one;
        const Prefix internal = (*next).internal;
        for (; next != pairs.end() && (*next).internal == internal; ++next) {
            of_one.push_back(*next);
        }
        wanted[internal.short_text()] = value_of(of_one);
    }
    bool is_first = true;
    return again_and_again([&](Published& done) {
        return try_among_all(
            [&](const StoreState& state) {
                Wanted changes;
                std::size_t lost = 0;
                std::size_t gained = 0;
                for (const auto& [internal, value] : wanted) {
                    const auto known = state.pairs.find(internal);
                    gained += known == state.pairs.end() ? 1 : 0;
                    if (known == state.pairs.end() || read_value(known->second.value) != read_value(value)) {
                        changes[internal] = value;
                    }
                }
                for (const auto& [internal, key] : state.pairs) {
                    if (!wanted.contains(internal)) {
                        changes[internal] = "";
                        ++lost;
                    }
                }
                lost -= std::min(lost, gained);
                const std::size_t of = state.pairs.size();
                const bool suspicious = lost != 0 && (lost == of || (of >= least_to_halve && 2 * lost > of));
                if (std::exchange(is_first, false) && !force && suspicious) {
                    throw CannotGoOn{fmt::format("this would remove {} of {}, on all gateways: if it is meant, publish "
                                                 "--force does; nothing has been done",
                                                 lost, quantity(of, "pair"))};
                }
                return changes;
            },
            done);
    });
}

Pairs Writer::pairs_of(const StoreState::Values& values) const {
    SourceSnapshot snapshot;
    for (const auto& [internal, key] : values) {
        if (key.changed_at != 0) {
            snapshot.pairs.emplace_hint(snapshot.pairs.end(), internal, read_value(key.value));
        }
    }
    return statnat::pairs_of(snapshot, source_);
}

// Where prefixes are involved, anything may collide with anything, and nobody else may have published meanwhile.
bool Writer::try_among_all(const std::function<Wanted(const StoreState&)>& decide, Published& done) {
    StoreState state = store_.read_state();
    std::vector<Move> puts;
    std::vector<Move> deletes;  // and what has to make room for others first, unless all of it is done at once
    std::vector<Move> all;
    bool by_last = state.prefixes.changed_at != 0;
    for (const auto& [internal, value] : decide(state)) {
        const Move& move = all.emplace_back(Store::move(state, internal, value));
        by_last = by_last || internal.find('/') != std::string::npos;
        const bool is_there = state.pairs.contains(internal);
        const bool waits = std::any_of(move.gained.begin(), move.gained.end(), [&](const std::string& external) {
            const auto owner = state.owners.find(external);
            return owner != state.owners.end() && state.pairs.contains(owner->second.value);
        });
        if (value.empty() || (waits && is_there)) {
            deletes.push_back(Store::move(state, internal, ""));
        } else {
            puts.push_back(move);
        }
    }
    std::int64_t last = state.last.changed_at;
    if (all.empty() || (all.size() < most_in_transaction && store_.fits(all, state, by_last))) {
        return all.empty() || store_.commit(all, state, by_last, last, done);
    }
    const std::vector<Move>& now = deletes.empty() ? puts : deletes;
    for (auto next = now.begin(); next != now.end();) {
        auto end = now.end() - next > most_moves ? next + most_moves : now.end();
        while (end - next > 1 && !store_.fits({next, end}, state, by_last)) {
            --end;
        }
        if (!store_.commit({next, end}, state, by_last, last, done)) {
            return false;
        }
        next = end;
    }
    return deletes.empty();  // else the rest is decided anew
}

}  // namespace statnat
