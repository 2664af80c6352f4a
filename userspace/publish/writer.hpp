// SPDX-License-Identifier: GPL-2.0-or-later
// Changes the pairs of a source so that no two writers can give one address away twice: by transactions of etcd that do
// nothing where what they were decided by has changed meanwhile, and then are decided again.
#pragma once

#include "config/configuration.hpp"
#include "pairs/objections.hpp"
#include "pairs/pairs.hpp"
#include "publish/store.hpp"

#include <functional>
#include <map>
#include <optional>
#include <string>

namespace statnat {

class Writer {
public:
    // Throws CannotGoOn.
    explicit Writer(const Source& source);

    // Each throws CannotGoOn, with one sentence where a pair cannot be beside the others; then nothing has been done.
    Published add(const Proposal& pair);
    Published del(const Prefix& side);
    // Makes them all there are. `force`: even if fewer than half of those that are there would be left.
    Published replace(const Pairs& pairs, bool force);

private:
    // From internal sides to new values; an empty one: gone.
    using Wanted = std::map<std::string, std::string>;

    Published again_and_again(const std::function<bool(Published&)>& attempt);
    std::optional<bool> try_to_add_host(const Proposal& pair, Published& done);
    std::optional<bool> try_to_delete_host(const Prefix& side, Published& done);
    bool try_among_all(const std::function<Wanted(const StoreState&)>& decide, Published& done);
    Pairs pairs_of(const StoreState::Values& values) const;

    Source source_;
    Store store_;
};

}  // namespace statnat
