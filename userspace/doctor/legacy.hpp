// SPDX-License-Identifier: GPL-2.0-or-later
// Rules of the old iptables, which are none of nf_tables and so in no trace.
#pragma once

#include "doctor/trouble.hpp"
#include "pairs/address.hpp"

namespace statnat {

Troubles troubles_with_legacy_tables(Family family);

}  // namespace statnat
