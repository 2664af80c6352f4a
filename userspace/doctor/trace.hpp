// SPDX-License-Identifier: GPL-2.0-or-later
// A table of ours that has nf_tables tell what becomes of probes, and keeps them and what is said about them from
// leaving this machine.
#pragma once

#include "doctor/probe.hpp"
#include "netlink/socket.hpp"
#include "tracing/owned_table.hpp"
#include "tracing/trace_event.hpp"
#include "wire/message.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace statnat {

// In order, from where the probe is first seen to where it ends, or gets lost.
using Course = std::vector<TraceEvent>;

// The chains of ours in which it ends.
inline constexpr const char* leaving = "leaving";
inline constexpr const char* for_this_machine = "for-this-machine";

bool is_at(const TraceEvent& event, const char* own_chain);

class Trace {
public:
    // Throws CannotGoOn.
    Trace();

    // Throws CannotGoOn.
    Course of(const Probe& probe);

private:
    Mark mark_ = Mark::random();
    std::unique_ptr<Socket> socket_;
    Bytes buffer_;
    OwnedTable table_;
};

// The text of a rule, as nft lists it; nothing where it is gone.
std::optional<std::string> text_of_rule(const TraceEvent& event);

}  // namespace statnat
