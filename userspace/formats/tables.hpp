// SPDX-License-Identifier: GPL-2.0-or-later
// Formats in which one line binds one address; pure functions.
#pragma once

#include "importers/finding.hpp"

#include <string_view>

namespace statnat {

// "+EXTERNAL INTERNAL dst" or "+INTERNAL EXTERNAL src", as were written there, alone or by echo; and what was read from
// there, a table for each direction.
Reading read_static_nat(std::string_view text);

// As our own files of pairs, and with columns of other names and in other places.
Reading read_csv(std::string_view text);

}  // namespace statnat
