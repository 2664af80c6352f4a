// SPDX-License-Identifier: GPL-2.0-or-later
// The netlink socket, and the patience that a conversation with the kernel needs.
#include "netlink/netlink.hpp"

#include "error.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fmt/format.h>
#include <libmnl/libmnl.h>
#include <linux/netlink.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>

namespace statnat {

namespace {

// The kernel fills dumps into datagrams of up to 32 KiB.
constexpr std::size_t receive_size = 128 * 1024;
// Room for one refusal of every message of a large batch.
constexpr int receive_queue = 16 * 1024 * 1024;
// An answer that takes longer will not come.
constexpr timeval patience{.tv_sec = 120, .tv_usec = 0};

std::string error_text(int error) {
    return std::strerror(error);
}

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

private:
    int descriptor() const { return mnl_socket_get_fd(socket_.get()); }

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

// What is cut off is not understood.
template <typename Visit>
void visit_messages(Message datagram, Visit visit) {
    const Message rest = for_each_message(
        datagram, [&](Message message, Message) { visit(header_of(message), message); });
    if (!rest.empty()) {
        throw CannotGoOn{"the kernel sent a message that is cut off"};
    }
}

std::string extended_text(const nlmsghdr& header, Message message) {
    std::size_t at = MNL_NLMSG_HDRLEN + sizeof(nlmsgerr);
    if (!(header.nlmsg_flags & NLM_F_ACK_TLVS)) {
        return {};
    }
    if (!(header.nlmsg_flags & NLM_F_CAPPED)) {
        const auto* error = static_cast<const nlmsgerr*>(mnl_nlmsg_get_payload(&header));
        at += MNL_ALIGN(error->msg.nlmsg_len) - MNL_NLMSG_HDRLEN;
    }
    while (at + sizeof(nlattr) <= message.size()) {
        const auto* attribute = reinterpret_cast<const nlattr*>(message.data() + at);
        if (!mnl_attr_ok(attribute, static_cast<int>(message.size() - at))) {
            break;
        }
        if (mnl_attr_get_type(attribute) == NLMSGERR_ATTR_MSG) {
            const auto* text = static_cast<const char*>(mnl_attr_get_payload(attribute));
            return {text, ::strnlen(text, mnl_attr_get_payload_len(attribute))};
        }
        at += MNL_ALIGN(attribute->nla_len);
    }
    return {};
}

// An acknowledgement is a refusal with error 0.
Refusal refusal_in(const nlmsghdr& header, Message message) {
    if (mnl_nlmsg_get_payload_len(&header) < sizeof(nlmsgerr)) {
        throw CannotGoOn{"the kernel sent an acknowledgement that is cut off"};
    }
    const auto* error = static_cast<const nlmsgerr*>(mnl_nlmsg_get_payload(&header));
    return {error->msg.nlmsg_seq, error->error < 0 ? -error->error : error->error, extended_text(header, message)};
}

// A dump that fails halfway says so in its last message.
Refusal end_of_dump(const nlmsghdr& header) {
    int error = 0;
    if (mnl_nlmsg_get_payload_len(&header) >= sizeof error) {
        std::memcpy(&error, mnl_nlmsg_get_payload(&header), sizeof error);
    }
    return {header.nlmsg_seq, error < 0 ? -error : 0, {}};
}

void log(const Refusal& refusal) {
    if (refusal.error != 0) {
        spdlog::debug("< sequence {} refused: {}{}{}", refusal.sequence, error_text(refusal.error),
                      refusal.text.empty() ? "" : ": ", refusal.text);
    }
}

std::unique_ptr<Socket> open_socket(int bus, const char* what, const char* cure) {
    mnl_socket* socket = mnl_socket_open2(bus, SOCK_CLOEXEC);
    if (!socket) {
        throw CannotGoOn{fmt::format("cannot talk to {} ({}): {}", what, error_text(errno), cure)};
    }
    auto opened = std::make_unique<KernelSocket>(socket);
    const int on = 1;
    const int descriptor = mnl_socket_get_fd(socket);
    if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0) {
        throw CannotGoOn{fmt::format("cannot bind a netlink socket: {}", error_text(errno))};
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

}  // namespace

std::unique_ptr<Socket> open_socket() {
    return open_socket(NETLINK_NETFILTER, "nf_tables", "the kernel needs nfnetlink and nf_tables");
}

std::unique_ptr<Socket> open_route_socket() {
    return open_socket(NETLINK_ROUTE, "rtnetlink", "its addresses and routes are not known");
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

Netlink::Netlink(std::unique_ptr<Socket> socket) : socket_(std::move(socket)), buffer_(receive_size) {}

void Netlink::send(const Bytes& datagram, const char* what) {
    log(">", datagram);
    ssize_t sent = -1;
    do {
        sent = socket_->send(datagram);
    } while (sent < 0 && errno == EINTR);
    if (sent < 0 && errno == EMSGSIZE) {
        throw CannotGoOn{fmt::format("{} has {} bytes, more than this socket may send: run as root of the initial user "
                                     "namespace, or raise net.core.wmem_max",
                                     what, datagram.size())};
    }
    if (sent < 0) {
        throw CannotGoOn{fmt::format("cannot send {} to the kernel: {}", what, error_text(errno))};
    }
    if (static_cast<std::size_t>(sent) != datagram.size()) {
        throw CannotGoOn{fmt::format("the kernel took only a part of {}", what)};
    }
}

// The next datagram; nothing when there is none (yet), or when some were lost, which sets `lost`.
std::optional<Message> Netlink::receive(bool wait, bool& lost) {
    while (true) {
        const ssize_t size = socket_->receive(buffer_, wait);
        if (size >= 0 && static_cast<std::size_t>(size) <= buffer_.size()) {
            return Message(buffer_.data(), static_cast<std::size_t>(size));
        }
        if (size >= 0) {
            throw CannotGoOn{fmt::format("the kernel sent {} bytes at once, more than expected", size)};
        }
        if (errno == ENOBUFS) {
            lost = true;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            return {};
        } else if (errno != EINTR) {
            throw CannotGoOn{fmt::format("cannot receive from the kernel: {}", error_text(errno))};
        }
    }
}

Answer Netlink::ask(const Bytes& question, const std::function<void(Message)>& each) {
    const std::uint32_t sequence = reinterpret_cast<const nlmsghdr*>(question.data())->nlmsg_seq;
    next_sequence_ = sequence + 1;
    send(question, "a question");
    Answer answer;
    const auto note = [&](const Refusal& refusal) {
        log(refusal);
        if (refusal.error == EINTR || refusal.error == EAGAIN) {
            answer.interrupted = true;
        } else if (refusal.error != 0) {
            answer.refusal = refusal;
        }
    };
    bool ended = false;
    while (!ended) {
        bool lost = false;
        const auto datagram = receive(true, lost);
        answer.interrupted = answer.interrupted || lost;
        if (!datagram) {
            throw CannotGoOn{"the kernel does not answer"};
        }
        visit_messages(*datagram, [&](const nlmsghdr& header, Message message) {
            if (header.nlmsg_seq != sequence) {
                return;  // the rest of an answer that nobody waits for
            }
            log("<", message);
            answer.interrupted = answer.interrupted || (header.nlmsg_flags & NLM_F_DUMP_INTR);
            if (header.nlmsg_type == NLMSG_ERROR) {
                note(refusal_in(header, message));
                ended = true;
            } else if (header.nlmsg_type == NLMSG_DONE) {
                note(end_of_dump(header));
                ended = true;
            } else if (header.nlmsg_type >= NLMSG_MIN_TYPE) {
                each(message);
            }
        });
    }
    return answer;
}

// The kernel handles a batch inside send(), so that every answer to it is there already.
Outcome Netlink::commit(const Batch& batch) {
    next_sequence_ = batch.first_sequence + static_cast<std::uint32_t>(batch.steps.size());
    send(batch.bytes, "a batch");
    Outcome outcome;
    bool lost = false;
    bool confirmed = false;
    while (const auto datagram = receive(false, lost)) {
        visit_messages(*datagram, [&](const nlmsghdr& header, Message message) {
            // The unsigned difference is large for whatever came before this batch.
            if (header.nlmsg_type != NLMSG_ERROR || header.nlmsg_seq - batch.first_sequence >= batch.steps.size()) {
                return;
            }
            const Refusal refusal = refusal_in(header, message);
            log(refusal);
            if (refusal.error == 0) {
                confirmed = confirmed || refusal.sequence == batch.confirmed;
            } else if (outcome.result != Result::refused) {
                outcome = {Result::refused, refusal};
            }
        });
    }
    if (outcome.result != Result::refused && confirmed && !lost) {
        outcome.result = Result::done;
    }
    return outcome;
}

}  // namespace statnat
