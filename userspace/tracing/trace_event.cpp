// SPDX-License-Identifier: GPL-2.0-or-later
#include "tracing/trace_event.hpp"

#include "wire/wire.hpp"

#include <algorithm>
#include <cstddef>

#include <fmt/format.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

namespace statnat {
namespace {

std::string family_name(std::uint8_t family) {
    switch (family) {
    case NFPROTO_IPV4: return "ip";
    case NFPROTO_IPV6: return "ip6";
    case NFPROTO_BRIDGE: return "bridge";
    case NFPROTO_NETDEV: return "netdev";
    default: return "inet";
    }
}

std::optional<std::pair<Address, Address>> ends_of(Message header) {
    if (header.empty()) {
        return std::nullopt;
    }
    const Family family = header[0] >> 4 == 4 ? Family::ipv4 : Family::ipv6;
    Address source{family, {}};
    Address target{family, {}};
    const std::size_t at = family == Family::ipv4 ? 12 : 8;
    if (header.size() < at + 2 * source.size()) {
        return std::nullopt;
    }
    std::copy_n(header.begin() + static_cast<std::ptrdiff_t>(at), source.size(), source.bytes.begin());
    std::copy_n(header.begin() + static_cast<std::ptrdiff_t>(at + source.size()), target.size(), target.bytes.begin());
    return std::pair(source, target);
}

Bytes copied(Message bytes) {
    return {bytes.begin(), bytes.end()};
}

}  // namespace

bool TraceEvent::drops() const {
    return verdict == NF_DROP;
}

bool TraceEvent::takes_over() const {
    const std::uint32_t word = verdict & NF_VERDICT_MASK;
    return static_cast<std::int32_t>(verdict) >= 0 && (word == NF_QUEUE || word == NF_STOLEN);
}

std::optional<TraceEvent> trace_event_in(Message message) {
    if (header_of(message).nlmsg_type != (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_TRACE)) {
        return std::nullopt;
    }
    const Attributes told = Attributes::of(message);
    TraceEvent event;
    event.packet = told.number(NFTA_TRACE_ID);
    event.family = family_name(message[MNL_NLMSG_HDRLEN]);  // nfgen_family
    event.table = told.text(NFTA_TRACE_TABLE);
    event.chain = told.text(NFTA_TRACE_CHAIN);
    if (told.number(NFTA_TRACE_TYPE) == NFT_TRACETYPE_RULE) {
        event.rule = told.long_number(NFTA_TRACE_RULE_HANDLE);
        event.verdict = told.nest(NFTA_TRACE_VERDICT).number(NFTA_VERDICT_CODE);
    } else {
        event.verdict = told.number(NFTA_TRACE_POLICY, NF_ACCEPT);
    }
    event.ends = ends_of(told.bytes(NFTA_TRACE_NETWORK_HEADER));
    event.network = copied(told.bytes(NFTA_TRACE_NETWORK_HEADER));
    event.transport = copied(told.bytes(NFTA_TRACE_TRANSPORT_HEADER));
    event.in = static_cast<int>(told.number(NFTA_TRACE_IIF));
    event.out = static_cast<int>(told.number(NFTA_TRACE_OIF));
    return event;
}

std::optional<std::string> rule_in_listing(const std::string& listing, std::uint64_t handle) {
    const std::size_t end = listing.find(fmt::format(" # handle {}\n", handle));
    if (end == std::string::npos) {
        return std::nullopt;
    }
    const std::size_t before = listing.rfind('\n', end);
    const std::size_t begin = listing.find_first_not_of("\t ", before == std::string::npos ? 0 : before + 1);
    return listing.substr(begin, end - begin);
}

}  // namespace statnat
