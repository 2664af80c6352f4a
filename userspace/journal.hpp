// SPDX-License-Identifier: GPL-2.0-or-later
// The journal of systemd, in the native protocol of its socket (JOURNAL_NATIVE_PROTOCOL), which systemd promises to
// keep. By hand for the reason that manager.hpp gives.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace statnat {

// By names of capital letters, digits and underscores that begin with a letter; values are any bytes, and no more than
// the kernel lets a process hold in a file in memory.
using Fields = std::vector<std::pair<std::string, std::string>>;

// An entry as the socket takes it: "NAME=VALUE\n", or, where the value has an end of line in it, "NAME\n", its size as
// 8 bytes of little endian, and the value and "\n".
std::string journal_entry(const Fields& fields);

class Journal {
public:
    // As the environment says of standard output or standard error.
    static bool is_behind(int descriptor);

    explicit Journal(std::string socket = "/run/systemd/journal/socket") : socket_(std::move(socket)) {}

    // False where it did not take it, whatever the reason; what exceeds a datagram goes as a sealed file in memory.
    bool send(const Fields& fields) const;

private:
    std::string socket_;
};

}  // namespace statnat
