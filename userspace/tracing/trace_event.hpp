// SPDX-License-Identifier: GPL-2.0-or-later
// What nf_tables tells of packets that are traced (NFT_MSG_TRACE).
#pragma once

#include "pairs/address.hpp"
#include "wire/message.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace statnat {

// One thing that nf_tables tells of a packet.
struct TraceEvent {
    std::string family;  // "inet"
    std::string table;
    std::string chain;
    std::optional<std::uint64_t> rule{};  // its handle; nothing: the chain's policy
    std::uint32_t verdict = 0;
    std::optional<std::pair<Address, Address>> ends{};  // of the first one in a base chain: source and target
    Bytes network{};    // with the former, its headers
    Bytes transport{};  // the first bytes of it
    int in = 0;         // also with the former: indexes of interfaces, 0: none
    int out = 0;
    std::uint32_t packet = 0;  // of which one: the same in all that is told of it

    bool drops() const;
    bool takes_over() const;  // a queue, or a proxy
};

// Nothing where a message is none of these.
std::optional<TraceEvent> trace_event_in(Message message);

// The text of a rule in a listing of its chain with handles; nothing where it is not there.
std::optional<std::string> rule_in_listing(const std::string& listing, std::uint64_t handle);

}  // namespace statnat
