// SPDX-License-Identifier: GPL-2.0-or-later
// A message to rtnetlink: a header of its kind, and attributes behind it.
#pragma once

#include "wire/message.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>

namespace statnat {

class Request {
public:
    // Whoever asks for no dump gets an acknowledgement. `flags` are NLM_F_DUMP, NLM_F_CREATE, ...
    Request(std::uint16_t type, unsigned flags, std::uint32_t sequence) : bytes_(room) {
        message_ = mnl_nlmsg_put_header(bytes_.data());
        message_->nlmsg_type = type;
        const bool dump = (flags & NLM_F_DUMP) == NLM_F_DUMP;
        message_->nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | (dump ? 0 : NLM_F_ACK) | flags);
        message_->nlmsg_seq = sequence;
    }
    Request(const Request&) = delete;
    Request& operator=(const Request&) = delete;

    // Comes first, and once: rtmsg, ndmsg, ifinfomsg, fib_rule_hdr, ...
    template <typename Header>
    Header& header() {
        return *static_cast<Header*>(mnl_nlmsg_put_extra_header(message_, sizeof(Header)));
    }

    Request& put(std::uint16_t type, Message value) {
        mnl_attr_put(message_, type, value.size(), value.data());
        return *this;
    }
    Request& put(std::uint16_t type, std::uint32_t number) {
        mnl_attr_put_u32(message_, type, number);
        return *this;
    }
    Request& put_byte(std::uint16_t type, std::uint8_t number) {
        mnl_attr_put_u8(message_, type, number);
        return *this;
    }
    Request& put(std::uint16_t type, std::string_view text) {
        return put(type, Message(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
    }
    nlattr* begin_nest(std::uint16_t type) { return mnl_attr_nest_start(message_, type); }
    void end_nest(nlattr* nest) { mnl_attr_nest_end(message_, nest); }

    Bytes take() {
        bytes_.resize(message_->nlmsg_len);
        return std::move(bytes_);
    }

private:
    static constexpr std::size_t room = 1024;  // for any of them

    Bytes bytes_;
    nlmsghdr* message_;
};

}  // namespace statnat
