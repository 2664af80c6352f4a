// SPDX-License-Identifier: GPL-2.0-or-later
#include "routing/ours.hpp"

namespace statnat {

void put_route(Request& request, const Prefix& destination, std::uint32_t link, std::uint8_t table) {
    auto& header = request.header<rtmsg>();
    const Address& address = destination.address;
    const bool ipv4 = address.family == Family::ipv4;
    header.rtm_family = ipv4 ? AF_INET : AF_INET6;
    header.rtm_dst_len = destination.length;
    header.rtm_table = table;
    header.rtm_protocol = our_protocol;
    header.rtm_scope = ipv4 ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
    header.rtm_type = RTN_UNICAST;
    request.put(RTA_DST, Message(address.bytes.data(), address.size()));
    request.put(RTA_OIF, link);
}

}  // namespace statnat
