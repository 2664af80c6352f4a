// SPDX-License-Identifier: GPL-2.0-or-later
// A kernel made of a function: what it returns for a datagram is what the socket then yields.
#pragma once

#include "netlink/netlink.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <deque>
#include <functional>
#include <utility>
#include <variant>
#include <vector>

#include <linux/netlink.h>

namespace statnat::fake {

// A datagram, or the errno of a receive that fails.
using Reply = std::variant<Bytes, int>;
using Replies = std::vector<Reply>;
using Kernel = std::function<Replies(Message)>;

class FakeSocket final : public Socket {
public:
    explicit FakeSocket(Kernel kernel) : kernel_(std::move(kernel)) {}

    // Errnos of the next sends, before one succeeds.
    void fail_sends(std::deque<int> errors) { send_errors_ = std::move(errors); }

    ssize_t send(Message datagram) override {
        if (!send_errors_.empty()) {
            errno = send_errors_.front();
            send_errors_.pop_front();
            return -1;
        }
        for (Reply& reply : kernel_(datagram)) {
            replies_.push_back(std::move(reply));
        }
        return static_cast<ssize_t>(datagram.size());
    }

    // What comes without being asked for.
    void tell(Reply reply) { replies_.push_back(std::move(reply)); }

    void wait(std::chrono::milliseconds, int) override {}

    ssize_t receive(std::span<std::uint8_t> buffer, bool) override {
        if (replies_.empty()) {
            errno = EAGAIN;
            return -1;
        }
        const Reply reply = replies_.front();
        replies_.pop_front();
        if (const int* error = std::get_if<int>(&reply)) {
            errno = *error;
            return -1;
        }
        const Bytes& bytes = std::get<Bytes>(reply);
        std::copy_n(bytes.begin(), std::min(bytes.size(), buffer.size()), buffer.begin());
        return static_cast<ssize_t>(bytes.size());
    }

private:
    Kernel kernel_;
    std::deque<int> send_errors_;
    std::deque<Reply> replies_;
};

inline nlmsghdr header_of(Message message) {
    nlmsghdr header{};
    std::memcpy(&header, message.data(), sizeof header);
    return header;
}

// The messages of a datagram.
inline std::vector<Message> split(Message datagram) {
    std::vector<Message> messages;
    while (!datagram.empty()) {
        const std::size_t size = header_of(datagram).nlmsg_len;
        messages.push_back(datagram.first(size));
        datagram = datagram.subspan(std::min<std::size_t>(NLMSG_ALIGN(size), datagram.size()));
    }
    return messages;
}

inline Bytes message(std::uint16_t type, std::uint16_t flags, std::uint32_t sequence, const Bytes& payload) {
    const nlmsghdr header{static_cast<std::uint32_t>(sizeof(nlmsghdr) + payload.size()), type, flags, sequence, 0};
    Bytes bytes(sizeof header);
    std::memcpy(bytes.data(), &header, sizeof header);
    bytes.insert(bytes.end(), payload.begin(), payload.end());
    bytes.resize(NLMSG_ALIGN(bytes.size()));
    return bytes;
}

inline Bytes operator+(Bytes a, const Bytes& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
}

// An acknowledgement, or, with an errno, a refusal.
inline Bytes acknowledgement(std::uint32_t sequence, int error = 0, const std::string& text = {}) {
    nlmsgerr payload{};
    payload.error = -error;
    payload.msg.nlmsg_seq = sequence;
    Bytes bytes(sizeof payload);
    std::memcpy(bytes.data(), &payload, sizeof payload);
    std::uint16_t flags = NLM_F_CAPPED;
    if (!text.empty()) {
        const nlattr attribute{static_cast<std::uint16_t>(sizeof(nlattr) + text.size() + 1), NLMSGERR_ATTR_MSG};
        Bytes extended(sizeof attribute);
        std::memcpy(extended.data(), &attribute, sizeof attribute);
        extended.insert(extended.end(), text.begin(), text.end());
        extended.push_back(0);
        bytes = bytes + extended;
        flags |= NLM_F_ACK_TLVS;
    }
    return message(NLMSG_ERROR, flags, sequence, bytes);
}

inline Bytes done(std::uint32_t sequence, int error = 0, std::uint16_t flags = NLM_F_MULTI) {
    const int value = -error;
    Bytes bytes(sizeof value);
    std::memcpy(bytes.data(), &value, sizeof value);
    return message(NLMSG_DONE, flags, sequence, bytes);
}

}  // namespace statnat::fake
