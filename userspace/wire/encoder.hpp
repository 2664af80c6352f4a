// SPDX-License-Identifier: GPL-2.0-or-later
// From a plan to netlink bytes.
#pragma once

#include "ruleset/plan.hpp"
#include "wire/message.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace statnat {

// A transaction as one datagram.
struct Batch {
    static constexpr std::size_t no_step = static_cast<std::size_t>(-1);

    Bytes bytes;
    std::string table;
    std::uint32_t first_sequence = 0;  // of the batch's begin; its messages are numbered without a gap
    std::vector<std::size_t> steps;    // the step of the plan that each message belongs to, or no_step
    std::uint32_t confirmed = 0;       // the sequence number that the kernel acknowledges

    std::size_t step(std::uint32_t sequence) const;  // no_step for what is not of this batch

    // For another generation than it was written for.
    void aim(std::uint32_t generation);
};

// The batch that takes tables of that name through `plan` if the kernel's generation is still `generation`, or at any.
Batch encode(const Plan& plan, std::string_view table, std::optional<std::uint32_t> generation,
             std::uint32_t first_sequence);

// A batch that makes a rule with our expression in a table of its own and has no end: the kernel checks all of it,
// loads the module for it, and keeps nothing.
Batch encode_probe(std::uint32_t first_sequence);

}  // namespace statnat
