// SPDX-License-Identifier: GPL-2.0-or-later
// Whoever manages this service hears of it: the protocol of sd_notify(3), which systemd promises to keep. By hand,
// since libsystemd would bring six more libraries, compressors among them, into each run of a tool that is root.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace statnat {

class Manager {
public:
    // As the environment says; nobody hears anything where it does not.
    Manager();

    void ready() const { tell("READY=1"); }

    // Says so no more often than it takes, so that it may be called at every turn.
    void alive();

private:
    using Clock = std::chrono::steady_clock;

    void tell(std::string_view state) const;

    std::string address_;  // of a socket; @... in the abstract namespace
    std::optional<std::chrono::microseconds> every_{};
    Clock::time_point next_{};
};

}  // namespace statnat
