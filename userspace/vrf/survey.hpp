// SPDX-License-Identifier: GPL-2.0-or-later
// The VRFs of this network namespace, and the policy rules by which marked packets get there.
#pragma once

#include "netlink/netlink.hpp"
#include "pairs/address.hpp"

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace statnat {

// Behind those of the fence, which let pass by "goto", and before that of VRF devices, which is 1000.
inline constexpr std::uint32_t priority_of_marks = 6;

// "from all fwmark MARK/MARK lookup TABLE"
struct MarkRule {
    Family family = Family::ipv4;
    std::uint32_t mark = 0;
    std::uint32_t table = 0;

    std::string text() const;
    auto operator<=>(const MarkRule&) const = default;
};

struct VrfDevice {
    std::uint32_t table = 0;
    std::vector<std::string> ports{};  // ascending
};

// Both need no privileges, and throw CannotGoOn.
std::optional<VrfDevice> find_vrf(Netlink& netlink, const std::string& name);
std::set<MarkRule> mark_rules(Netlink& netlink);  // ours, of all instances

}  // namespace statnat
