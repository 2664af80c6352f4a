// SPDX-License-Identifier: GPL-2.0-or-later
// What iptables-save and ip6tables-save print, one of them or both; a pure function.
#pragma once

#include "importers/finding.hpp"

#include <string_view>

namespace statnat {

// Targets SNAT, DNAT, NETMAP, SNPT, DNPT, RAWSNAT, RAWDNAT and STATIC-2-WAY-NAT. Whatever else stands in a table that
// is for translation alone is left, and in other tables what translates.
Reading read_iptables_save(std::string_view text);

}  // namespace statnat
