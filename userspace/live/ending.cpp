// SPDX-License-Identifier: GPL-2.0-or-later
#include "live/ending.hpp"

#include "error.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>

#include <fmt/format.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace statnat {
namespace {

sigset_t both() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    return signals;
}

}  // namespace

Ending::Ending(int output) : output_(output) {
    const sigset_t signals = both();
    signals_ = ::signalfd(-1, &signals, SFD_CLOEXEC);
    if (signals_ < 0) {
        throw CannotGoOn{fmt::format("cannot wait for signals: {}", std::strerror(errno))};
    }
    ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

// A signal that came has been obeyed.
Ending::~Ending() {
    signalfd_siginfo taken;
    pollfd there{.fd = signals_, .events = POLLIN, .revents = 0};
    while (::poll(&there, 1, 0) == 1 && ::read(signals_, &taken, sizeof taken) > 0) {
    }
    const sigset_t signals = both();
    ::pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
    ::close(signals_);
}

bool Ending::wait(int source, std::chrono::milliseconds most) const {
    // A pipe that nobody reads from is in error, whatever one asks for.
    pollfd there[]{{.fd = signals_, .events = POLLIN, .revents = 0},
                   {.fd = output_, .events = 0, .revents = 0},
                   {.fd = source, .events = POLLIN, .revents = 0}};
    ::poll(there, 3, static_cast<int>(most.count()));
    return there[0].revents == 0 && (there[1].revents & (POLLERR | POLLHUP)) == 0;
}

}  // namespace statnat
