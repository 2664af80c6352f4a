// SPDX-License-Identifier: GPL-2.0-or-later
// The sockets of netlink: datagrams out, datagrams in.
#pragma once

#include "wire/message.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include <sys/types.h>

namespace statnat {

// The seam that tests fake: one datagram out, one datagram in.
class Socket {
public:
    virtual ~Socket() = default;

    // As the system calls: a number of bytes, or -1 and errno. A datagram larger than `buffer` yields its own size.
    virtual ssize_t send(Message datagram) = 0;
    virtual ssize_t receive(std::span<std::uint8_t> buffer, bool wait) = 0;
    // Returns when there is something to receive, or to read from `also` (negative: nothing), or after so long.
    virtual void wait(std::chrono::milliseconds most, int also = -1) = 0;
    // To wait for other things as well; negative: nothing ever comes.
    virtual int descriptor() const { return -1; }
};

// The kernel fills dumps into datagrams of up to 32 KiB.
inline constexpr std::size_t receive_size = 128 * 1024;

// Throws CannotGoOn where the kernel has no nf_tables.
std::unique_ptr<Socket> open_socket();
// Gets what nf_tables tells of each transaction, ours among them. Throws CannotGoOn.
std::unique_ptr<Socket> open_event_socket();
// Gets what nf_tables tells of packets that are traced. Throws CannotGoOn.
std::unique_ptr<Socket> open_trace_socket();
// To ask for addresses and routes; whoever asks strictly is told no more than that. Throws CannotGoOn.
enum class Asking { freely, strictly };
std::unique_ptr<Socket> open_route_socket(Asking asking = Asking::freely);
// To ask for IPsec's policies. Throws CannotGoOn.
std::unique_ptr<Socket> open_policy_socket();

// The cookie of the current network namespace: no other has or had it since boot. Nothing where the kernel has none.
std::optional<std::uint64_t> network_namespace();

struct Received {
    std::optional<Message> datagram{};  // nothing: there is none (yet)
    bool lost = false;                  // but some were, for want of room
};

// The next datagram, in `buffer`. Throws CannotGoOn.
Received receive(Socket& socket, std::span<std::uint8_t> buffer, bool wait);

}  // namespace statnat
