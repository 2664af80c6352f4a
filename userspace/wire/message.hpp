// SPDX-License-Identifier: GPL-2.0-or-later
// Netlink messages and datagrams of them, as bytes: walked, written, and named in logs.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <linux/netlink.h>

namespace statnat {

using Bytes = std::vector<std::uint8_t>;
using Message = std::span<const std::uint8_t>;  // one netlink message, from its header on, 4-byte aligned

inline const nlmsghdr& header_of(Message message) {
    return *reinterpret_cast<const nlmsghdr*>(message.data());
}

// Calls `visit` with each message of a datagram, and with the same and what pads it; returns what is cut off.
template <typename Visit>
Message for_each_message(Message datagram, Visit visit) {
    while (datagram.size() >= sizeof(nlmsghdr)) {
        const std::size_t size = header_of(datagram).nlmsg_len;
        if (size < sizeof(nlmsghdr) || size > datagram.size()) {
            break;
        }
        const std::size_t step = std::min<std::size_t>(NLMSG_ALIGN(size), datagram.size());
        visit(datagram.first(size), datagram.first(step));
        datagram = datagram.subspan(step);
    }
    return datagram;
}

inline constexpr std::size_t scratch_size = 128 * 1024;  // room for any message that we write

// Appends messages to a datagram; each is built in a buffer of its own, since libmnl needs it to stay in place.
class MessageWriter {
public:
    explicit MessageWriter(std::uint32_t first_sequence) : sequence_(first_sequence), scratch_(scratch_size) {}

    // What grows beyond its room is in memory twice for a moment.
    void make_room(std::size_t bytes) { bytes_.reserve(bytes); }

    // A message of nf_tables, or the begin or end of a batch, to be filled and finished.
    nlmsghdr* start(std::uint16_t type, std::uint8_t family, unsigned flags);
    nlmsghdr* start_batch(bool end);
    void finish(const nlmsghdr* message);

    // Asks the kernel to answer the message finished last; returns that one's sequence number.
    std::uint32_t acknowledge_last();

    Bytes take() { return std::move(bytes_); }

private:
    char* scratch() { return reinterpret_cast<char*>(scratch_.data()); }

    std::uint32_t sequence_;
    Bytes scratch_;
    std::size_t last_ = 0;
    Bytes bytes_;
};

// "NEWRULE", "BATCH_BEGIN", ...; for logs.
std::string message_name(std::uint16_t type);

// Logs each message of a datagram by name, at the level debug.
void log(const char* direction, Message datagram);

}  // namespace statnat
