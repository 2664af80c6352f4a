// SPDX-License-Identifier: GPL-2.0-or-later
#include "wire/message.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

#include <libmnl/libmnl.h>
#include <libnftnl/common.h>
#include <linux/netfilter/nfnetlink.h>
#include <spdlog/spdlog.h>

namespace statnat {

nlmsghdr* MessageWriter::start(std::uint16_t type, std::uint8_t family, unsigned flags) {
    return nftnl_nlmsg_build_hdr(scratch(), static_cast<std::uint16_t>((NFNL_SUBSYS_NFTABLES << 8) | type), family,
                                 static_cast<std::uint16_t>(flags), sequence_++);
}

nlmsghdr* MessageWriter::start_batch(bool end) {
    return end ? nftnl_batch_end(scratch(), sequence_++) : nftnl_batch_begin(scratch(), sequence_++);
}

void MessageWriter::finish(const nlmsghdr* message) {
    const auto end = scratch_.begin() + MNL_ALIGN(message->nlmsg_len);
    last_ = bytes_.size();
    bytes_.insert(bytes_.end(), scratch_.begin(), end);
    // libmnl 1.0.4 leaves the padding behind an attribute as it finds it.
    std::fill(scratch_.begin(), end, 0);
}

std::uint32_t MessageWriter::acknowledge_last() {
    auto* message = reinterpret_cast<nlmsghdr*>(bytes_.data() + last_);
    message->nlmsg_flags |= NLM_F_ACK;
    return message->nlmsg_seq;
}

std::string message_name(std::uint16_t type) {
    static constexpr std::array<std::string_view, 25> names{
        "NEWTABLE",   "GETTABLE",   "DELTABLE", "NEWCHAIN", "GETCHAIN",     "DELCHAIN",     "NEWRULE",
        "GETRULE",    "DELRULE",    "NEWSET",   "GETSET",   "DELSET",       "NEWSETELEM",   "GETSETELEM",
        "DELSETELEM", "NEWGEN",     "GETGEN",   "TRACE",    "NEWOBJ",       "GETOBJ",       "DELOBJ",
        "GETOBJ_RESET", "NEWFLOWTABLE", "GETFLOWTABLE", "DELFLOWTABLE"};
    switch (type) {
    case NLMSG_ERROR: return "ERROR";
    case NLMSG_DONE: return "DONE";
    case NFNL_MSG_BATCH_BEGIN: return "BATCH_BEGIN";
    case NFNL_MSG_BATCH_END: return "BATCH_END";
    default: break;
    }
    const std::size_t number = type & 0xff;
    if (type >> 8 == NFNL_SUBSYS_NFTABLES && number < names.size()) {
        return std::string(names[number]);
    }
    return "message " + std::to_string(type);
}

void log(const char* direction, Message datagram) {
    if (!spdlog::should_log(spdlog::level::debug)) {
        return;
    }
    for_each_message(datagram, [&](Message message, Message) {
        const nlmsghdr& header = header_of(message);
        spdlog::debug("{} {} sequence {}, {} bytes", direction, message_name(header.nlmsg_type), header.nlmsg_seq,
                      header.nlmsg_len);
    });
}

}  // namespace statnat
