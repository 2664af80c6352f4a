// SPDX-License-Identifier: GPL-2.0-or-later
// From a plan to netlink bytes and from netlink bytes to a ruleset: encoder and decoder, which with statements and wire
// are all that knows the wire.
#pragma once

#include "ruleset/machine.hpp"
#include "ruleset/plan.hpp"
#include "wire/message.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace statnat {

// A transaction as one datagram.
struct Batch {
    static constexpr std::size_t no_step = static_cast<std::size_t>(-1);

    Bytes bytes;
    std::uint32_t first_sequence = 0;  // of the batch's begin; its messages are numbered without a gap
    std::vector<std::size_t> steps;    // the step of the plan that each message belongs to, or no_step
    std::uint32_t confirmed = 0;       // the sequence number that the kernel acknowledges

    std::size_t step(std::uint32_t sequence) const;  // no_step for what is not of this batch
};

// The batch that takes the kernel through `plan` if its generation is still `generation`.
Batch encode(const Plan& plan, std::uint32_t generation, std::uint32_t first_sequence);

// A batch that makes a rule with our expression in a table of its own and has no end: the kernel checks all of it,
// loads the module for it, and keeps nothing.
Batch encode_probe(std::uint32_t first_sequence);

Bytes ask_generation(std::uint32_t sequence);
Bytes ask_table(Family family, std::uint32_t sequence);
Bytes ask_sets(Family family, std::uint32_t sequence);
Bytes ask_elements(Family family, std::string_view set, std::uint32_t sequence);
// So many elements from one place on, one message for each in the order of their keys, and an acknowledgement.
Bytes ask_elements(Family family, const Map& map, std::span<const std::size_t> elements, std::uint32_t sequence);
Bytes ask_chains(Family family, std::uint32_t sequence);
Bytes ask_rules(Family family, std::uint32_t sequence);
Bytes ask_chains_of_all(std::uint32_t sequence);

std::uint32_t decode_generation(Message message);

// What the counter of an element has seen, in a message with this one only; nothing if it is another one's.
std::optional<Traffic> decode_traffic(Message message, const Address& key);

// Nothing for our own ones, for those without a hook, and for families that no packet of a pair is of.
std::optional<OtherChain> decode_chain_of_others(Message message);

// Puts one table together from the messages that answer the questions above, asked in that order; messages about other
// tables are passed over. Throws CannotGoOn when a message is not what a kernel would send.
class TableDecoder {
public:
    explicit TableDecoder(Family family);

    void table(Message message);
    void set(Message message);
    void elements(Message message);
    void chain(Message message);
    void rule(Message message);

    std::vector<std::string> sets_to_read() const;  // those whose elements are ours to know
    bool put(const std::string& set, Elements elements);  // what is known already; false if it is not of a map
    std::size_t elements_read() const { return elements_read_; }
    Table finish();

private:
    struct Boundary {  // of an interval
        Address address;
        bool end;
    };
    struct Intervals {
        PrefixSet set;
        std::vector<Boundary> boundaries;
    };

    void element(Map& map, const void* attributes, std::size_t size);
    void boundary(Intervals& intervals, const void* attributes, std::size_t size) const;

    Table table_;
    std::vector<Intervals> intervals_;
    std::size_t elements_read_ = 0;
};

}  // namespace statnat
