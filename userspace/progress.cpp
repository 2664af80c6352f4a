// SPDX-License-Identifier: GPL-2.0-or-later
// A thread draws, since most of the time is spent inside one system call.
#include "progress.hpp"

#include "quantity.hpp"

#include <algorithm>
#include <csignal>

#include <sys/ioctl.h>
#include <unistd.h>

namespace statnat {

namespace {

using namespace std::chrono_literals;

constexpr auto patience = 1s;
constexpr auto interval = 250ms;

// A longer line would wrap, and could not be drawn over.
std::size_t columns(int terminal) {
    winsize size{};
    return ::ioctl(terminal, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col - 1U : 79U;
}

// A terminal that is gone is nobody's loss.
void write_to(int terminal, const std::string& text) {
    [[maybe_unused]] const ssize_t written = ::write(terminal, text.data(), text.size());
}

}  // namespace

Progress::Progress(int terminal) : terminal_(terminal) {
    if (terminal_ < 0) {
        return;
    }
    // Signals are for the thread that works, and may hold them back.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    watcher_ = std::jthread([this](const std::stop_token& stop) { watch(stop); });
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

Progress::Step::Step(Progress& progress, std::string what) : progress_(progress) {
    const std::lock_guard lock(progress.mutex_);
    progress.what_ = std::move(what);
    progress.count_ = 0;
}

Progress::Step::~Step() {
    const std::lock_guard lock(progress_.mutex_);
    progress_.erase();
    progress_.what_.clear();
}

void Progress::watch(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    const auto wait = [&](auto time) { ended_.wait_for(lock, stop, time, [] { return false; }); };
    wait(patience);
    while (!stop.stop_requested()) {
        draw();
        wait(interval);
    }
}

void Progress::draw() {
    if (what_.empty()) {
        return;
    }
    const std::string text = line().substr(0, columns(terminal_));
    write_to(terminal_, "\r" + text + std::string(drawn_ - std::min(drawn_, text.size()), ' '));
    drawn_ = text.size();
}

void Progress::erase() {
    if (drawn_ > 0) {
        write_to(terminal_, "\r" + std::string(drawn_, ' ') + "\r");
        drawn_ = 0;
    }
}

std::string Progress::line() const {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - start_);
    return what_ + (count_ == 0 ? "" : ": " + grouped(count_)) + ", " + std::to_string(seconds.count()) + " s";
}

}  // namespace statnat
