// SPDX-License-Identifier: GPL-2.0-or-later
#include "monitor/ear.hpp"

#include <utility>

namespace statnat {
namespace {

bool is_behind(std::uint32_t generation, std::uint32_t other) {
    return static_cast<std::int32_t>(other - generation) > 0;
}

}  // namespace

Ear::Ear(std::unique_ptr<Socket> socket, std::string table)
    : socket_(std::move(socket)), buffer_(receive_size), reader_(std::move(table)) {}

void Ear::begin(const std::function<std::uint32_t()>& ask, const Visit& visit) {
    hear_all(visit);
    lost_ = false;
    generation_ = ask();
}

void Ear::hear_all(const Visit& visit) {
    while (hear(false, visit)) {
    }
}

void Ear::hear_next(std::chrono::milliseconds most, const Visit& visit) {
    socket_->wait(most);
    hear_all(visit);
}

void Ear::hear_up_to(std::uint32_t generation, const Visit& visit) {
    while (!lost_ && is_behind(generation_, generation) && hear(true, visit)) {
    }
}

// One datagram; false: there is none. What is heard of a transaction is true even where some of it was lost.
bool Ear::hear(bool wait, const Visit& visit) {
    const auto [datagram, lost] = receive(*socket_, buffer_, wait);
    lost_ = lost_ || lost;
    if (datagram) {
        const Message rest = for_each_message(*datagram, [&](Message message, Message) {
            if (const auto transaction = reader_.take(message)) {
                const std::uint32_t generation = transaction->by.generation;
                if (is_behind(generation_, generation)) {
                    lost_ = lost_ || generation != generation_after(generation_);
                    generation_ = generation;
                }
                visit(*transaction);
            }
        });
        lost_ = lost_ || !rest.empty();
    }
    return datagram || lost;
}

}  // namespace statnat
