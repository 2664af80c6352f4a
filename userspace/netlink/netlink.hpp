// SPDX-License-Identifier: GPL-2.0-or-later
// Conversations with nf_tables: questions with their answers, and batches with what the kernel says to them.
#pragma once

#include "wire/encoder.hpp"
#include "wire/message.hpp"
#include "wire/refusals.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <sys/types.h>

namespace statnat {

// The seam that tests fake: one datagram out, one datagram in.
class Socket {
public:
    virtual ~Socket() = default;

    // As the system calls: a number of bytes, or -1 and errno. A datagram larger than `buffer` yields its own size.
    virtual ssize_t send(Message datagram) = 0;
    virtual ssize_t receive(std::span<std::uint8_t> buffer, bool wait) = 0;
};

// Throws CannotGoOn where the kernel has no nf_tables.
std::unique_ptr<Socket> open_socket();
// To ask for addresses and routes. Throws CannotGoOn.
std::unique_ptr<Socket> open_route_socket();

// The cookie of the current network namespace: no other has or had it since boot. Nothing where the kernel has none.
std::optional<std::uint64_t> network_namespace();

struct Answer {
    std::optional<Refusal> refusal;
    bool interrupted = false;  // somebody committed during the dump: ask again
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

    Outcome commit(const Batch& batch);

private:
    void send(const Bytes& datagram, const char* what);
    std::optional<Message> receive(bool wait, bool& lost);

    std::unique_ptr<Socket> socket_;
    std::vector<std::uint8_t> buffer_;
    std::uint32_t next_sequence_ = 1;
};

}  // namespace statnat
