// SPDX-License-Identifier: GPL-2.0-or-later
// Who listens to nf_tables, and what a transaction costs for that.
#pragma once

#include <cstddef>
#include <istream>
#include <optional>
#include <string>

namespace statnat {

// From a /proc/PID/net/netlink: the port of a socket that listens to nf_tables, mostly the number of the process that
// has it; nothing: none does.
std::optional<std::string> listening_port(std::istream& sockets);

// Throws CannotGoOn where the messages to somebody who can be seen listening, in whatever network namespace, would take
// more of the memory than there is to spare.
void refuse_without_room(std::size_t elements);

}  // namespace statnat
