// SPDX-License-Identifier: GPL-2.0-or-later
// Takes steps through rtnetlink and /proc/sys.
#pragma once

#include "neighbours/steps.hpp"
#include "netlink/netlink.hpp"
#include "records/run_file.hpp"

#include <string>
#include <vector>

namespace statnat {

// What somebody else has there already, and so stays, in sentences. Throws CannotGoOn.
std::vector<std::string> perform(const Steps& steps, Netlink& netlink);

}  // namespace statnat
