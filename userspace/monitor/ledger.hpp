// SPDX-License-Identifier: GPL-2.0-or-later
// What the kernel holds of ours, kept up to date by what is heard and what is read; and the differences, pair by pair.
#pragma once

#include "monitor/book.hpp"
#include "monitor/difference.hpp"
#include "monitor/transaction.hpp"
#include "pairs/pairs.hpp"

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace statnat {

class Ledger {
public:
    explicit Ledger(std::string table) : table_(std::move(table)) {}

    void take(const Transaction& transaction);

    // Of a family there are these maps; without a table, there are none.
    void replace(Family family, bool has_table, const std::vector<std::string>& maps);
    // A map holds these elements, sorted by key.
    void replace(Family family, const std::string& map, const Elements& elements);

    // What has changed since this was asked last, pairs first, in their order.
    std::vector<Difference> differences();

    std::size_t pairs() const;

private:
    struct Books {  // of a tier of pairs
        Book by_internal;
        Book by_external;

        Book& by(Side side) { return side == Side::internal ? by_internal : by_external; }
        std::optional<Held> held(const Tier& tier, const Address& internal, const Address& external, bool before) const;
    };
    using Place = std::pair<Family, std::string>;  // a map; without a name, the table

    void take(const Deed& deed);
    Book* book_of(Family family, const std::string& map);
    void append_pairs(const Tier& tier, const Books& books, std::vector<Difference>& differences) const;
    void append_containers(std::vector<Difference>& differences) const;

    std::string table_;
    std::map<Tier, Books> books_;
    std::set<Place> there_;
    std::set<Place> were_there_;  // when it was asked last
};

}  // namespace statnat
