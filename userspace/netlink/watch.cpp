// SPDX-License-Identifier: GPL-2.0-or-later
#include "netlink/watch.hpp"

#include "wire/decoder.hpp"

#include <utility>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace statnat {

std::string Committer::text() const {
    return fmt::format("{} (process {})", process, process_id);
}

Watch::Watch(std::function<std::unique_ptr<Socket>()> open, Instance instance)
    : open_(std::move(open)), instance_(std::move(instance)), buffer_(receive_size) {}

// In a moment in which nothing is told: all that comes later is of later transactions. But for one that was under way,
// whose end is heard once more, and out of turn.
std::uint32_t Watch::begin(const std::function<std::uint32_t()>& ask) {
    if (!socket_) {
        socket_ = open_();
    }
    do {
        hear();
        generation_ = ask();
    } while (hear(false));
    doubtful_ = lost_ = unnamed_ = others_ = false;
    culprit_.reset();
    return generation_;
}

void Watch::end() {
    socket_.reset();
}

void Watch::hear() {
    while (socket_ && hear(false)) {
    }
}

bool Watch::reaches(std::uint32_t generation) {
    while (!doubtful_ && generation_ != generation && hear(true)) {
    }
    return !doubtful_ && generation_ == generation;
}

// What a transaction changed is told before whose it was. All that is told by now is heard, since others may have
// committed behind this tool.
std::optional<Committer> Watch::culprit() {
    while (!lost_ && hear(unnamed_)) {
    }
    if (lost_) {
        return std::nullopt;
    }
    doubtful_ = false;
    return std::exchange(culprit_, std::nullopt);
}

// One datagram; false: there is none.
bool Watch::hear(bool wait) {
    const auto [datagram, lost] = receive(*socket_, buffer_, wait);
    lost_ = lost_ || lost;
    doubtful_ = doubtful_ || lost;
    if (datagram && !for_each_message(*datagram, [&](Message message, Message) { take(message); }).empty()) {
        doubtful_ = lost_ = true;
    }
    return datagram || lost;
}

void Watch::take(Message message) {
    const Event event = decode_event(message);
    if (!event.generation) {
        const bool is_about_us = event.table == instance_.table();
        unnamed_ = unnamed_ || is_about_us;
        doubtful_ = doubtful_ || is_about_us;
        others_ = others_ || (!is_about_us && Instance::of_table(event.table));
        return;
    }
    spdlog::debug("< generation {} by {} (process {})", *event.generation, event.process, event.process_id);
    if (*event.generation != generation_after(generation_)) {
        doubtful_ = lost_ = true;
    }
    generation_ = *event.generation;
    last_ = Committer{generation_, event.process, event.process_id};
    if (std::exchange(unnamed_, false) && (!culprit_ || culprit_->process == our_process)) {
        culprit_ = last_;
    }
}

}  // namespace statnat
