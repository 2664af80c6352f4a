// SPDX-License-Identifier: GPL-2.0-or-later
// What is found in somebody else's configuration: bindings of addresses, perhaps halves of pairs, and what is none.
#pragma once

#include "pairs/prefix.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace statnat {

// In a text that is read: a line, from 1 on, or a name where what is read has no lines that tell.
struct Place {
    unsigned line = 0;
    std::string name{};

    std::string text(std::string_view file) const;  // "FILE:LINE", or "FILE: NAME"
};

// A pair works both ways; most other translators are told of each way by itself.
enum class Direction : std::uint8_t { both, outbound, inbound };

struct Finding {
    Place at;
    Prefix internal;
    Prefix external;
    Direction direction = Direction::both;
    bool npt = false;
    std::string comment{};
    std::string untaken{};  // what is not taken with the pair, and why; perhaps nothing
};

// What cannot be taken over, and why.
struct Leftover {
    Place at;
    std::string sentence;
};

// A rule of others while it is read, perhaps line by line.
struct Binding {
    Place at;  // its first line
    std::string internal{};
    std::string external{};
    std::string comment{};
    std::string why_not{};  // the first reason why it is no pair
    std::vector<std::string> interfaces{};
    Direction direction = Direction::both;
    bool npt = false;

    void object(std::string why) {
        if (why_not.empty()) {
            why_not = std::move(why);
        }
    }
};

struct Reading {
    std::vector<Finding> findings;
    std::vector<Leftover> leftovers;
    std::map<std::string, std::vector<Place>, std::less<>> interfaces;  // to which something was bound, and where
    bool recognized = false;  // something is as this format has it, be it taken over or not

    void leave(Place at, std::string sentence);
    void note_interface(std::string_view name, const Place& at);
    // Takes it if both texts are sides of a pair, and else leaves it.
    void take(Finding finding, std::string_view internal, std::string_view external);
    // The same; and leaves what is no pair.
    void take(const Binding& binding);
};

// Thrown for a text that cannot be read at all.
struct NotOfThisFormat {
    unsigned line;  // 0: all of it
    std::string sentence;
};

// An address or a prefix, its length also as a mask such as 255.255.255.0; host bits are cleared.
std::optional<Prefix> side_of(std::string_view text);
std::optional<std::uint8_t> length_of_mask(std::string_view mask);

}  // namespace statnat
