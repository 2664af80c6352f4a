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
        spdlog::debug("< sequence {} refused: {}{}{}", refusal.sequence, std::strerror(refusal.error),
                      refusal.text.empty() ? "" : ": ", refusal.text);
    }
}

}  // namespace

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
        throw CannotGoOn{fmt::format("cannot send {} to the kernel: {}", what, std::strerror(errno))};
    }
    if (static_cast<std::size_t>(sent) != datagram.size()) {
        throw CannotGoOn{fmt::format("the kernel took only a part of {}", what)};
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
            answer.incomplete = true;
        } else if (refusal.error != 0) {
            answer.refusal = refusal;
        }
    };
    bool ended = false;
    while (!ended) {
        const auto [datagram, lost] = receive(*socket_, buffer_, true);
        answer.incomplete = answer.incomplete || lost;
        if (!datagram && !lost) {
            throw CannotGoOn{"the kernel does not answer"};
        }
        visit_messages(datagram.value_or(Message{}), [&](const nlmsghdr& header, Message message) {
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

void Netlink::ask_for_some(const Bytes& question, const std::function<void(Message)>& each) {
    send(question, "a question");
    visit_messages(receive(*socket_, buffer_, true).datagram.value_or(Message{}),
                   [&](const nlmsghdr& header, Message message) {
                       if (header.nlmsg_type >= NLMSG_MIN_TYPE) {
                           each(message);
                       }
                   });
}

// The kernel handles a batch inside send(), so that every answer to it is there already.
Outcome Netlink::commit(const Batch& batch) {
    next_sequence_ = batch.first_sequence + static_cast<std::uint32_t>(batch.steps.size());
    send(batch.bytes, "a batch");
    Outcome outcome;
    bool any_lost = false;
    bool confirmed = false;
    while (true) {
        const auto [datagram, lost] = receive(*socket_, buffer_, false);
        any_lost = any_lost || lost;
        if (!datagram && !lost) {
            break;
        }
        visit_messages(datagram.value_or(Message{}), [&](const nlmsghdr& header, Message message) {
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
    if (outcome.result != Result::refused && confirmed && !any_lost) {
        outcome.result = Result::done;
    }
    return outcome;
}

}  // namespace statnat
