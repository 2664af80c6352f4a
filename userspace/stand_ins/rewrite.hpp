// SPDX-License-Identifier: GPL-2.0-or-later
// Netlink messages between libnftables, which knows stand-ins, and the kernel, which knows our expression.
#pragma once

#include "stand_ins/stand_in.hpp"
#include "wire/message.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace statnat {

// What the kernel has against a statement, or against a batch with one.
struct Complaint {
    int error = 0;  // errno
    std::optional<SnatStateless> statement;

    std::string sentence() const;
};

class Rewriter {
public:
    explicit Rewriter(StandIns& stand_ins) : stand_ins_(stand_ins) {}

    // A batch begins; what the kernel says from now on is about this one.
    void start_batch();

    // Whole messages with our expression for each stand-in; nothing where there is none. Throws CannotGoOn.
    std::optional<Bytes> to_kernel(Message messages);

    // Rewrites whole messages in place, stand-ins being shorter than what they stand for, and returns their new size.
    std::size_t from_kernel(std::span<std::uint8_t> messages);

    // What is behind a number that we gave libnftables in place of an errno.
    const Complaint* find(int number) const;

private:
    // An expression of a rewritten rule: where it begins and ends now, and where it began.
    struct Place {
        std::uint32_t begin;
        std::uint32_t end;
        std::uint32_t original;
        std::optional<SnatStateless> statement;
    };
    struct RewrittenRule {
        std::uint32_t size;
        std::vector<Place> places;
    };

    // Valid until the next one.
    Message rule_to_kernel(Message rule);
    Message rule_from_kernel(Message rule);
    void refusal_from_kernel(std::span<std::uint8_t> message);
    const RewrittenRule* refused(std::uint32_t sequence, std::uint32_t size) const;
    std::optional<SnatStateless> stood_for(Message expression) const;
    std::string stand_in_for(Message expression);
    int number(Complaint complaint);

    StandIns& stand_ins_;
    Bytes room_;  // for the rule that is being written
    std::unordered_multimap<std::uint32_t, RewrittenRule> rules_;  // of the batch, by sequence number
    std::vector<Complaint> complaints_;
};

}  // namespace statnat
