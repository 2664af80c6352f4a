// SPDX-License-Identifier: GPL-2.0-or-later
// An external side that is whatever an interface has: "address of wan0", "prefix of lan0".
#pragma once

#include "pairs/objections.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace statnat {

struct InterfaceSide {
    enum class Part : std::uint8_t { address, prefix };
    Part part = Part::address;
    std::string interface;

    static std::optional<InterfaceSide> parse(std::string_view text);
    std::string text() const;
};

// One that others may reach it by for some time: neither of its link only, nor temporary, tentative or about to go.
struct InterfaceAddress {
    std::string interface;
    Address address;
    std::uint8_t length = 0;  // of its network
};

// Calls for them when they are needed, which they are in few configurations.
using AskAddresses = std::function<std::vector<InterfaceAddress>()>;

// What it is now, or why it is nothing.
struct InterfaceHas {
    std::optional<Prefix> prefix{};
    std::string why_not{};  // "wan0 has no IPv4 address"
};

// As the other side of an internal prefix. npt extends a shorter one.
InterfaceHas look_up(const InterfaceSide& side, const Prefix& internal, bool npt,
                     const std::vector<InterfaceAddress>& addresses);

// A pair whose external side follows an interface.
struct InterfacePair {
    Proposal pair;  // without an external side: it waits
    InterfaceSide side;
    std::string why_waits{};

    bool waits() const { return !pair.external; }
    std::string text() const;  // "10.0.0.2 = address of wan0"
};

}  // namespace statnat
