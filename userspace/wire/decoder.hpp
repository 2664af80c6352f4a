// SPDX-License-Identifier: GPL-2.0-or-later
// From the kernel's answers to a ruleset.
#pragma once

#include "pairs/ranges.hpp"
#include "ruleset/machine.hpp"
#include "ruleset/ruleset.hpp"
#include "wire/message.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace statnat {

std::uint32_t decode_generation(Message message);

// What nf_tables tells of a transaction to whoever listens: what it changed, and at last where it led to.
struct Event {
    std::optional<std::uint32_t> generation{};  // only in the last one
    std::string process{};                      // whose transaction that was
    std::uint32_t process_id = 0;
    std::string table{};  // that, or what is in it, was changed; empty: of a family that no table of ours has
};

Event decode_event(Message message);

// What the counter of an element has seen, in a message with this one only; nothing if it is another one's.
std::optional<Traffic> decode_traffic(Message message, const Address& key);

// Appends those of a map of addresses that a message has, whoever has put them there, without their traffic.
void decode_elements(Message message, Family family, Elements& elements);

// Nothing for those of instances, for those without a hook, and for families that no packet of a pair is of.
std::optional<OtherChain> decode_chain_of_others(Message message);

std::string decode_table_name(Message message);

// Puts one table together from the messages that answer the questions above, asked in that order; messages about other
// tables are passed over. Throws CannotGoOn when a message is not what a kernel would send.
class TableDecoder {
public:
    TableDecoder(Family family, std::string name);
    // To add elements to its maps.
    TableDecoder(Table table, std::string name);

    void table(Message message);
    void set(Message message);
    void elements(Message message);
    void chain(Message message);
    void rule(Message message);

    std::vector<std::string> maps_to_read() const;  // those whose elements are ours to know
    std::vector<std::string> sets_to_read() const;
    bool put(const std::string& set, Elements elements);  // what is known already; false if it is not of a map
    const Table& so_far() const { return table_; }
    std::size_t elements_read() const { return elements_read_; }
    Table finish();

private:
    struct Intervals {
        PrefixSet set;
        std::vector<Boundary> boundaries;
    };

    void element(Map& map, const void* attributes, std::size_t size);
    void boundary(Intervals& intervals, const void* attributes, std::size_t size) const;
    void standing(StandingMap& map, const void* attributes, std::size_t size);

    std::string name_;
    Table table_;
    std::vector<Intervals> intervals_;
    std::size_t elements_read_ = 0;
};

}  // namespace statnat
