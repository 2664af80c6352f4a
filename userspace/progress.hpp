// SPDX-License-Identifier: GPL-2.0-or-later
// A line on a terminal that tells what goes on, for whoever waits longer than a second.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>

namespace statnat {

class Progress {
public:
    // Draws on `terminal`, a file descriptor; nothing anywhere if it is negative.
    explicit Progress(int terminal = -1);
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    // The line is there, if it comes to that, as long as this lives; one at a time.
    class Step {
    public:
        // "reading statnat.toml"
        Step(Progress& progress, std::string what);
        ~Step();
        Step(const Step&) = delete;
        Step& operator=(const Step&) = delete;

        // How many pairs, or whatever they are, it has come to.
        void count(std::uint64_t number) { progress_.count_ = number; }

    private:
        Progress& progress_;
    };

private:
    void watch(const std::stop_token& stop);
    void draw();
    void erase();
    std::string line() const;

    const int terminal_;
    const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
    std::mutex mutex_;  // of what is on the terminal
    std::condition_variable_any ended_;
    std::string what_;  // empty: nothing goes on
    std::atomic<std::uint64_t> count_ = 0;
    std::size_t drawn_ = 0;  // columns
    std::jthread watcher_;   // last: it ends before what it looks at
};

}  // namespace statnat
