// SPDX-License-Identifier: GPL-2.0-or-later
// Which pairs a listing shows, and in which order; pure functions.
#pragma once

#include "pairs/prefix.hpp"
#include "ruleset/inventory.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace statnat {

// By addresses ascending, by traffic of both directions together descending.
enum class Order : std::uint8_t { internal, external, packets, bytes };

struct Choice {
    Order order = Order::internal;
    std::optional<std::size_t> top{};       // so many of them
    std::optional<Family> family{};
    std::optional<Prefix> within{};         // with a side that covers this, or is covered by it
    std::optional<std::string> comment{};   // that has this in it
};

// What stands behind each option; nothing where it does not.
struct ChoiceWords {
    std::optional<std::string> sort{};
    std::optional<std::string> top{};
    std::optional<std::string> within{};
    std::optional<std::string> family{};
    std::optional<std::string> comment{};
};

// Throws CannotGoOn, for an error of usage.
Choice read_choice(const ChoiceWords& words);

// Of pairs that ascend by internal address; those that are equal in the order stay so.
std::vector<CountedPair> chosen(std::vector<CountedPair> pairs, const Choice& choice);

}  // namespace statnat
