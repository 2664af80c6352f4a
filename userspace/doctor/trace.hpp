// SPDX-License-Identifier: GPL-2.0-or-later
// A table of ours that has nf_tables tell what becomes of probes, and keeps them and what is said about them from
// leaving this machine.
#pragma once

#include "doctor/probe.hpp"
#include "netlink/socket.hpp"
#include "wire/message.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

struct nft_ctx;

namespace statnat {

// One thing that nf_tables tells of a packet.
struct TraceEvent {
    std::string family;  // "inet"
    std::string table;
    std::string chain;
    std::optional<std::uint64_t> rule{};  // its handle; nothing: the chain's policy
    std::uint32_t verdict = 0;
    std::optional<std::pair<Address, Address>> ends{};  // of the first one in a base chain: source and target

    bool drops() const;
    bool takes_over() const;  // a queue, or a proxy
    bool is_at(const char* own_chain) const;
};

// In order, from where the probe is first seen to where it ends, or gets lost.
using Course = std::vector<TraceEvent>;

// The chains of ours in which it ends.
inline constexpr const char* leaving = "leaving";
inline constexpr const char* for_this_machine = "for-this-machine";

class Trace {
public:
    // Throws CannotGoOn.
    Trace();
    ~Trace();
    Trace(const Trace&) = delete;
    Trace& operator=(const Trace&) = delete;

    // Throws CannotGoOn.
    Course of(const Probe& probe);

private:
    struct Freed {
        void operator()(nft_ctx* context) const;
    };

    Mark mark_ = Mark::random();
    std::unique_ptr<Socket> socket_;
    Bytes buffer_;
    std::unique_ptr<nft_ctx, Freed> table_;  // whose owner it is, and who takes it along, however this ends
};

// The text of a rule, as nft lists it; nothing where it is gone.
std::optional<std::string> text_of_rule(const TraceEvent& event);

}  // namespace statnat
