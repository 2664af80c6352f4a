// SPDX-License-Identifier: GPL-2.0-or-later
// Conversations with nf_tables: questions with their answers, and batches with what the kernel says to them.
#pragma once

#include "netlink/socket.hpp"
#include "wire/encoder.hpp"
#include "wire/message.hpp"
#include "wire/refusals.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace statnat {

struct Answer {
    std::optional<Refusal> refusal;
    bool interrupted = false;  // somebody committed during the dump
    bool incomplete = false;   // messages were lost: ask again
};

enum class Result {
    done,
    refused,
    unknown,  // the answer got lost: read what is there
};

struct Outcome {
    Result result = Result::unknown;
    Refusal refusal;  // the first one
};

class Netlink {
public:
    explicit Netlink(std::unique_ptr<Socket> socket);

    // Where the next question's or batch's numbers must start.
    std::uint32_t next_sequence() const { return next_sequence_; }

    // Asks, and calls `each` with every message of the answer.
    Answer ask(const Bytes& question, const std::function<void(Message)>& each);

    // Asks, and calls `each` with the messages of the answer's first datagram. Nothing can be asked here any more.
    void ask_for_some(const Bytes& question, const std::function<void(Message)>& each);

    Outcome commit(const Batch& batch);

private:
    void send(const Bytes& datagram, const char* what);

    std::unique_ptr<Socket> socket_;
    std::vector<std::uint8_t> buffer_;
    std::uint32_t next_sequence_ = 1;
};

}  // namespace statnat
