// SPDX-License-Identifier: GPL-2.0-or-later
#include "publish/store.hpp"

#include "source/value.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <map>
#include <set>
#include <utility>

#include <unistd.h>

namespace statnat {
namespace {

constexpr std::size_t page = 10000;

std::string this_host() {
    std::array<char, 256> name{};
    return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "somebody";
}

std::int64_t changed_at(const StoreState::Values& values, const std::string& name) {
    const auto known = values.find(name);
    return known == values.end() ? 0 : known->second.changed_at;
}

std::int64_t count_leaving(const std::vector<Move>& moves) {
    return std::count_if(moves.begin(), moves.end(), [](const Move& move) { return move.value.empty(); });
}

std::int64_t number_removed(const StoreState& state) {
    std::int64_t number = 0;
    std::from_chars(state.removed.value.data(), state.removed.value.data() + state.removed.value.size(), number);
    return number;
}

}  // namespace

std::vector<std::string> externals_of(const SourcePair& pair) {
    std::vector<std::string> all = pair.further;
    if (!pair.external.empty()) {
        all.insert(all.begin(), pair.external);
    }
    return all;
}

bool contains(const std::vector<std::string>& all, const std::string& one) {
    return std::find(all.begin(), all.end(), one) != all.end();
}

Store::Store(const Source& source) : keys_(source.prefix), client_(source.etcd) {}

StoreState Store::read_state() {
    StoreState state;
    const EtcdKeys marks = client_.get({keys_.prefixes(), keys_.last()});
    state.prefixes = marks.keys[0];
    state.last = marks.keys[1];
    const auto read = [&](const std::string& prefix, StoreState::Values& values) {
        const std::string end = behind_prefix(prefix);
        std::string first = prefix;
        for (bool more = true; more;) {
            EtcdKeys found = client_.range(first, end, page, 0);
            more = found.more && !found.keys.empty();
            first = more ? found.keys.back().key + '\0' : first;
            for (EtcdKey& one : found.keys) {
                values.emplace_hint(values.end(), one.key.substr(prefix.size()), std::move(one));
            }
        }
    };
    read(keys_.prefix(), state.pairs);
    if (auto removed = state.pairs.extract(std::string(removed_key))) {
        state.removed = std::move(removed.mapped());
    }
    read(keys_.external(""), state.owners);
    return state;
}

Move Store::move(const StoreState& state, const std::string& internal, const std::string& value) {
    const std::vector<std::string> now = value.empty() ? std::vector<std::string>() : externals_of(read_value(value));
    std::vector<std::string> before;
    if (changed_at(state.pairs, internal) != 0) {
        before = externals_of(read_value(state.pairs.find(internal)->second.value));
    }
    const auto without = [](const std::vector<std::string>& all, const std::vector<std::string>& others) {
        std::vector<std::string> rest;
        std::copy_if(all.begin(), all.end(), std::back_inserter(rest),
                     [&](const std::string& one) { return !contains(others, one); });
        return rest;
    };
    return {internal, value, without(now, before), without(before, now)};
}

EtcdTransaction Store::transaction(const std::vector<Move>& moves, const StoreState& state, bool by_last,
                                    std::int64_t last) const {
    std::map<std::string, std::int64_t> compares;
    std::map<std::string, std::string> puts{{keys_.last(), this_host()}};
    std::set<std::string> deletes;
    if (by_last) {
        compares[keys_.last()] = last;
        puts[keys_.prefixes()] = "there are some";
    } else {
        compares[keys_.prefixes()] = state.prefixes.changed_at;
    }
    if (const auto leaving = count_leaving(moves); leaving != 0) {
        if (!by_last) {
            compares[keys_.removed()] = state.removed.changed_at;
        }
        puts[keys_.removed()] = std::to_string(number_removed(state) + leaving);
    }
    for (const Move& move : moves) {
        const auto compare = [&](const std::string& key, std::int64_t known) {
            if (!by_last) {
                compares[key] = known;
            }
        };
        compare(keys_.pair(move.internal), changed_at(state.pairs, move.internal));
        if (move.value.empty()) {
            deletes.insert(keys_.pair(move.internal));
        } else {
            puts[keys_.pair(move.internal)] = move.value;
            compare(keys_.external(move.internal), changed_at(state.owners, move.internal));
        }
        for (const std::string& external : move.gained) {
            const auto owner = state.owners.find(external);
            compare(keys_.external(external), changed_at(state.owners, external));
            compare(keys_.pair(external), changed_at(state.pairs, external));
            if (owner != state.owners.end() && owner->second.changed_at != 0 && owner->second.value != move.internal) {
                compare(keys_.pair(owner->second.value), changed_at(state.pairs, owner->second.value));
            }
            puts[keys_.external(external)] = move.internal;
        }
        for (const std::string& external : move.left) {
            const auto owner = state.owners.find(external);
            if (owner != state.owners.end() && owner->second.value == move.internal) {
                deletes.insert(keys_.external(external));
            }
        }
    }
    EtcdTransaction transaction;
    for (const auto& [key, known] : compares) {
        transaction.unless_changed.push_back({key, {}, known});
    }
    for (const auto& [key, value] : puts) {
        transaction.puts.push_back({key, value});
        deletes.erase(key);  // what one pair leaves, another one takes
    }
    transaction.deletes.assign(deletes.begin(), deletes.end());
    return transaction;
}

bool Store::commit(const std::vector<Move>& moves, StoreState& state, bool by_last, std::int64_t& last,
                    Published& done) {
    const auto committed = client_.commit(transaction(moves, state, by_last, last));
    if (!committed) {
        return false;
    }
    last = *committed;
    if (const auto leaving = count_leaving(moves); leaving != 0) {
        state.removed = {keys_.removed(), std::to_string(number_removed(state) + leaving), last};
    }
    for (const Move& move : moves) {
        const bool was_there = changed_at(state.pairs, move.internal) != 0;
        ++(move.value.empty() ? done.removed : was_there ? done.changed : done.added);
    }
    return true;
}

bool Store::fits(const std::vector<Move>& moves, const StoreState& state, bool by_last) const {
    const EtcdTransaction one = transaction(moves, state, by_last, 0);
    return one.unless_changed.size() <= most_in_transaction &&
           one.puts.size() + one.deletes.size() <= most_in_transaction;
}

}  // namespace statnat
