// SPDX-License-Identifier: GPL-2.0-or-later
// What of the fence is there.
#pragma once

#include "fence/fence.hpp"

namespace statnat {

// By the number of the protocol, whatever somebody else has at the same place. Needs no privileges. Throws CannotGoOn.
Fence survey();

}  // namespace statnat
