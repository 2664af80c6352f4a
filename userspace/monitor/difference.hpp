// SPDX-License-Identifier: GPL-2.0-or-later
// What has become of a pair, a table or a map of ours, as a line for people and as one of JSON; pure functions.
#pragma once

#include "netlink/watch.hpp"
#include "pairs/pair.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

namespace statnat {

// A pair as far as it is there: somebody may have put in, or taken away, one of its two elements alone.
struct Held {
    Pair pair;
    bool outbound = true;
    bool inbound = true;

    bool operator==(const Held&) const = default;
};

// A table or a map: "table", "ip statnat".
struct Container {
    std::string kind;
    std::string name;
};

struct Difference {
    std::variant<Held, Container> what;  // as it is now, or was before it was removed
    std::optional<Held> was{};           // before it was changed
    bool removed = false;
};

// "+ 10.0.0.2 198.51.100.2, by nft (process 4711) # mail"; without `by`, whose it was is not known.
std::string as_line(const Difference& difference, const std::optional<Committer>& by);
// Members of an object.
std::string as_json(const Difference& difference, const std::optional<Committer>& by);

}  // namespace statnat
