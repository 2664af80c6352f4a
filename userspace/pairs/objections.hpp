// SPDX-License-Identifier: GPL-2.0-or-later
// What can be wrong with a pair, alone or beside others, in sentences that the file and `add` share.
#pragma once

#include "pairs/overlaps.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace statnat {

enum class Part : std::uint8_t { internal, external, npt, comment };

struct PartObjection {
    Part part;
    std::string sentence;
};

// A pair as it was asked for, as far as it could be read.
struct Proposal {
    std::optional<Prefix> internal;
    std::optional<Prefix> external;
    std::optional<bool> npt;  // nothing: as the gateway has it
    Comment comment{};
    bool inbound = false;

    // Makes it what it stands for: where `npt_gateway` says so, or the request, npt extends the shorter prefix to the
    // length of the longer one (RFC 6296, 3.7).
    void settle(bool npt_gateway);
    Pair pair() const;  // settled, and without objections
};

// Whether two addresses are hosts of IPv4 to which objections() has none, for certain; not all such are found.
inline bool are_plain_hosts(const Address& internal, const Address& external) {
    const auto is_plain = [](const Address& address) {
        const std::uint8_t first = address.bytes[0];
        return address.family == Family::ipv4 && first > 0 && first < 224 && first != 127;
    };
    return is_plain(internal) && is_plain(external) && internal != external;
}

// What is wrong with a pair alone; a side that is missing has been objected to already.
std::vector<PartObjection> objections(const Proposal& proposal);

// Why the later of two pairs cannot stand beside the earlier one. `place` tells where that is, as in " (FILE:LINE)".
std::string sentence(const Collision& collision, const std::vector<Candidate>& candidates, std::string_view place);

// Why a pair cannot be inbound that has no other pair to answer by.
std::string sentence_of_unanswered(const Pair& pair);

// What is to be left alone inside of a pair of prefixes, and was named by either side of it.
struct Exclusion {
    std::optional<Prefix> internal;
    std::string sentence{};  // why it cannot be
};

Exclusion exclusion(const Prefix& prefix, const Pairs& pairs);

// The sentence for a text that stands where one side of a pair should, and is none.
std::string not_a_side(std::string_view text);

// What a pair alone, or beside the others, breaks; `add` asks the same questions as the file does.
std::optional<std::string> why_not(const Proposal& proposal, const Pairs& others);

// What comes to light in pairs that one has been taken from, which had overridden it.
std::optional<std::string> why_not_without(const Pairs& rest);

// Why the native engine cannot have it, if it cannot.
std::optional<std::string> why_not_native(const Pair& pair);

}  // namespace statnat
