// SPDX-License-Identifier: GPL-2.0-or-later
#include "netlink/socket.hpp"

#include "error.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fmt/format.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <poll.h>
#include <sys/socket.h>

namespace statnat {

namespace {

// Room for one refusal of every message of a large batch.
constexpr int receive_queue = 16 * 1024 * 1024;
// An answer that takes longer will not come.
constexpr timeval patience{.tv_sec = 120, .tv_usec = 0};

struct Closed {
    void operator()(mnl_socket* socket) const { mnl_socket_close(socket); }
};

class KernelSocket final : public Socket {
public:
    explicit KernelSocket(mnl_socket* socket) : socket_(socket) {}

    ssize_t send(Message datagram) override {
        make_room(datagram.size());
        return mnl_socket_sendto(socket_.get(), datagram.data(), datagram.size());
    }

    ssize_t receive(std::span<std::uint8_t> buffer, bool wait) override {
        sockaddr_nl from{};
        socklen_t from_size = sizeof from;
        const int flags = MSG_TRUNC | (wait ? 0 : MSG_DONTWAIT);
        const ssize_t size = ::recvfrom(descriptor(), buffer.data(), buffer.size(), flags,
                                        reinterpret_cast<sockaddr*>(&from), &from_size);
        if (size >= 0 && from.nl_pid != 0) {  // not the kernel's: as if a signal had come instead
            errno = EINTR;
            return -1;
        }
        return size;
    }

    void wait(std::chrono::milliseconds most, int also) override {
        pollfd there[]{{.fd = descriptor(), .events = POLLIN, .revents = 0},
                       {.fd = also, .events = POLLIN, .revents = 0}};
        ::poll(there, 2, static_cast<int>(most.count()));
    }

    int descriptor() const override { return mnl_socket_get_fd(socket_.get()); }

    // Where the kernel has no such option, it tells more.
    void set(int option) {
        const int on = 1;
        ::setsockopt(descriptor(), SOL_NETLINK, option, &on, sizeof on);
    }

    void join(int group) {
        if (::setsockopt(descriptor(), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) != 0) {
            throw CannotGoOn{fmt::format("cannot listen to the kernel: {}", std::strerror(errno))};
        }
    }

private:
    // A batch is one datagram, so the send buffer must hold all of it. Only root of the whole machine may go beyond
    // net.core.wmem_max; send() fails with EMSGSIZE where that was needed and not given.
    void make_room(std::size_t size) {
        if (size <= room_) {
            return;
        }
        const int wanted = static_cast<int>(std::min<std::size_t>(size + size / 8 + 4096, INT32_MAX / 2));
        if (::setsockopt(descriptor(), SOL_SOCKET, SO_SNDBUFFORCE, &wanted, sizeof wanted) != 0) {
            ::setsockopt(descriptor(), SOL_SOCKET, SO_SNDBUF, &wanted, sizeof wanted);
        }
        room_ = size;
    }

    std::unique_ptr<mnl_socket, Closed> socket_;
    std::size_t room_ = 64 * 1024;
};

std::unique_ptr<KernelSocket> open_socket(int bus, const char* what, const char* cure) {
    mnl_socket* socket = mnl_socket_open2(bus, SOCK_CLOEXEC);
    if (!socket) {
        throw CannotGoOn{fmt::format("cannot talk to {} ({}): {}", what, std::strerror(errno), cure)};
    }
    auto opened = std::make_unique<KernelSocket>(socket);
    const int on = 1;
    const int descriptor = mnl_socket_get_fd(socket);
    if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0) {
        throw CannotGoOn{fmt::format("cannot bind a netlink socket: {}", std::strerror(errno))};
    }
    // All of these only make answers better; an old kernel without one of them still answers.
    mnl_socket_setsockopt(socket, NETLINK_CAP_ACK, const_cast<int*>(&on), sizeof on);
    mnl_socket_setsockopt(socket, NETLINK_EXT_ACK, const_cast<int*>(&on), sizeof on);
    if (::setsockopt(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &receive_queue, sizeof receive_queue) != 0) {
        ::setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &receive_queue, sizeof receive_queue);
    }
    ::setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    return opened;
}

std::unique_ptr<Socket> open_group(int group) {
    auto socket = open_socket(NETLINK_NETFILTER, "nf_tables", "the kernel needs nfnetlink and nf_tables");
    socket->join(group);
    return socket;
}

}  // namespace

std::unique_ptr<Socket> open_socket() {
    return open_socket(NETLINK_NETFILTER, "nf_tables", "the kernel needs nfnetlink and nf_tables");
}

std::unique_ptr<Socket> open_event_socket() {
    return open_group(NFNLGRP_NFTABLES);
}

std::unique_ptr<Socket> open_trace_socket() {
    return open_group(NFNLGRP_NFTRACE);
}

std::unique_ptr<Socket> open_route_socket(Asking asking) {
    auto socket = open_socket(NETLINK_ROUTE, "rtnetlink", "its addresses and routes are not known");
    if (asking == Asking::strictly) {
        socket->set(NETLINK_GET_STRICT_CHK);
    }
    return socket;
}

std::unique_ptr<Socket> open_policy_socket() {
    return open_socket(NETLINK_XFRM, "IPsec", "its policies are not known");
}

std::optional<std::uint64_t> network_namespace() {
    const std::unique_ptr<mnl_socket, Closed> socket(mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC));
    std::uint64_t cookie = 0;
    socklen_t size = sizeof cookie;
    if (!socket || ::getsockopt(mnl_socket_get_fd(socket.get()), SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &size) != 0) {
        return std::nullopt;
    }
    return cookie;
}

Received receive(Socket& socket, std::span<std::uint8_t> buffer, bool wait) {
    while (true) {
        const ssize_t size = socket.receive(buffer, wait);
        if (size >= 0 && static_cast<std::size_t>(size) <= buffer.size()) {
            return {.datagram = Message(buffer.data(), static_cast<std::size_t>(size))};
        }
        if (size >= 0) {
            throw CannotGoOn{fmt::format("the kernel sent {} bytes at once, more than expected", size)};
        }
        if (errno == ENOBUFS) {
            return {.lost = true};
        }
        if (errno == EAGAIN || errno == EWOULDBLOCK) {
            return {};
        }
        if (errno != EINTR) {
            throw CannotGoOn{fmt::format("cannot receive from the kernel: {}", std::strerror(errno))};
        }
    }
}

}  // namespace statnat
