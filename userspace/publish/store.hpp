// SPDX-License-Identifier: GPL-2.0-or-later
// The keys of a source as they are, and transactions that change them only as long as they are so.
#pragma once

#include "config/configuration.hpp"
#include "etcd/client.hpp"
#include "publish/keys.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace statnat {

// What has become of keys of pairs.
struct Published {
    std::size_t added = 0;
    std::size_t removed = 0;
    std::size_t changed = 0;

    std::size_t sum() const { return added + removed + changed; }
};

// As far as it was asked for: what is not there, or not known, was never changed.
struct StoreState {
    using Values = std::map<std::string, EtcdKey>;

    Values pairs{};   // by the internal side
    Values owners{};  // by the external side: whose it is
    EtcdKey removed{};  // how many pairs, ever
    EtcdKey prefixes{};
    EtcdKey last{};
};

// What is to become of one internal side.
struct Move {
    std::string internal;
    std::string value;                     // empty: it goes
    std::vector<std::string> gained{};     // external sides that it has not had
    std::vector<std::string> left{};       // and those that it will have no more
};

// All external sides of a value, the one that the host answers by first.
std::vector<std::string> externals_of(const SourcePair& pair);
bool contains(const std::vector<std::string>& all, const std::string& one);

class Store {
public:
    // Throws CannotGoOn; all else throws EtcdAway.
    explicit Store(const Source& source);

    const SourceKeys& keys() const { return keys_; }
    EtcdKeys get(const std::vector<std::string>& keys) { return client_.get(keys); }
    // All of it. What is published while it is read makes a commit fail that relies on it.
    StoreState read_state();

    // To a new value, from what it is.
    static Move move(const StoreState& state, const std::string& internal, const std::string& value);

    // Hosts compare what they touch; `by_last`: nobody may have published at all since `last`, which becomes the
    // present revision. False: somebody has, and nothing was done. `state` then knows how many were removed by now.
    bool commit(const std::vector<Move>& moves, StoreState& state, bool by_last, std::int64_t& last,
                Published& done);
    // Whether etcd takes that many at once.
    bool fits(const std::vector<Move>& moves, const StoreState& state, bool by_last) const;

private:
    EtcdTransaction transaction(const std::vector<Move>& moves, const StoreState& state, bool by_last,
                                std::int64_t last) const;

    SourceKeys keys_;
    EtcdClient client_;
};

}  // namespace statnat
