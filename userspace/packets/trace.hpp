// SPDX-License-Identifier: GPL-2.0-or-later
// The command `trace`: packets of a pair, as they pass.
#pragma once

#include "actual/kernel.hpp"
#include "pairs/address.hpp"

#include <optional>
#include <ostream>
#include <string>

namespace statnat {

struct TraceOptions {
    bool json = false;
    std::optional<std::string> count{};    // of packets, as it was given
    std::optional<std::string> seconds{};  // for which it goes on
};

// Until SIGINT or SIGTERM comes or nobody reads it. Returns the exit status. Throws CannotGoOn.
int trace(Kernel& kernel, const Address& address, const TraceOptions& options, std::ostream& out);

}  // namespace statnat
