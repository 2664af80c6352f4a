// SPDX-License-Identifier: GPL-2.0-or-later
#include "manager.hpp"

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace statnat {

namespace {

std::string_view variable(const char* name) {
    const char* value = std::getenv(name);
    return value ? value : "";
}

std::uint64_t number(std::string_view text) {
    std::uint64_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

}  // namespace

Manager::Manager() : address_(variable("NOTIFY_SOCKET")) {
    const std::string_view process = variable("WATCHDOG_PID");
    const bool is_meant = process.empty() || number(process) == static_cast<std::uint64_t>(::getpid());
    if (const std::uint64_t microseconds = number(variable("WATCHDOG_USEC")); is_meant && microseconds != 0) {
        every_ = std::chrono::microseconds(microseconds / 2);
    }
}

void Manager::alive() {
    if (every_ && Clock::now() >= next_) {
        tell("WATCHDOG=1");
        next_ = Clock::now() + *every_;
    }
}

// A manager that does not listen must not keep us from our work.
void Manager::tell(std::string_view state) const {
    sockaddr_un to{};
    if (address_.empty() || address_.size() >= sizeof to.sun_path) {
        return;
    }
    to.sun_family = AF_UNIX;
    std::memcpy(to.sun_path, address_.data(), address_.size());
    if (to.sun_path[0] == '@') {
        to.sun_path[0] = '\0';
    }
    if (const int socket = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0); socket >= 0) {
        ::sendto(socket, state.data(), state.size(), MSG_NOSIGNAL | MSG_DONTWAIT, reinterpret_cast<sockaddr*>(&to),
                 static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address_.size()));
        ::close(socket);
    }
}

}  // namespace statnat
