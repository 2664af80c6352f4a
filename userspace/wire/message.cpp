// SPDX-License-Identifier: GPL-2.0-or-later
#include "wire/message.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <spdlog/spdlog.h>

namespace statnat {

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
    while (spdlog::should_log(spdlog::level::debug) && datagram.size() >= sizeof(nlmsghdr)) {
        const auto& header = *reinterpret_cast<const nlmsghdr*>(datagram.data());
        spdlog::debug("{} {} sequence {}, {} bytes", direction, message_name(header.nlmsg_type), header.nlmsg_seq,
                      header.nlmsg_len);
        const std::size_t step = NLMSG_ALIGN(std::max<std::size_t>(header.nlmsg_len, sizeof header));
        datagram = datagram.subspan(std::min(step, datagram.size()));
    }
}

}  // namespace statnat
