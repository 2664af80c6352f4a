// SPDX-License-Identifier: GPL-2.0-or-later
// Firewalls as nft lists their chains, and the line that each needs; docs/firewalls.md tells more of them.
#pragma once

#include "pairs/address.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace statnat {

struct Firewall {
    std::string name;
    std::string cure;  // lines: sentences that end with a colon, and below each, indented, what to do or to write
};

// Those in what `nft list chains` prints, with cures for pairs of such a host.
std::vector<Firewall> firewalls(std::string_view chains, const Address& host);

// iptables as it was before nf_tables, of which nft does not know.
Firewall old_iptables(Family family);

}  // namespace statnat
