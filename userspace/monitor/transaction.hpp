// SPDX-License-Identifier: GPL-2.0-or-later
// What one transaction did to our tables and maps, put together from what nf_tables tells of it.
#pragma once

#include "netlink/watch.hpp"
#include "pairs/elements.hpp"
#include "wire/message.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace statnat {

// Something was added, or is gone: a table, a map of it, or elements of that.
struct Deed {
    enum class Of : std::uint8_t { table, map, elements };
    Of of = Of::table;
    bool gone = false;
    Family family = Family::ipv4;
    std::string map{};
    Elements elements{};  // in the order in which they came
};

struct Transaction {
    Committer by;
    std::vector<Deed> deeds;  // in order
};

class TransactionReader {
public:
    explicit TransactionReader(std::string table) : table_(std::move(table)) {}

    // The transaction that ends with this message.
    std::optional<Transaction> take(Message message);

private:
    void add(Deed deed);

    std::string table_;
    std::vector<Deed> deeds_;
};

}  // namespace statnat
