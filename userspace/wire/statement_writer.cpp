// SPDX-License-Identifier: GPL-2.0-or-later
#include "wire/statement_writer.hpp"

#include "error.hpp"
#include "wire/snat_stateless.hpp"
#include "wire/wire.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <initializer_list>
#include <string>
#include <utility>
#include <variant>

#include <linux/if.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nft_snat_stateless.h>
#include <netinet/in.h>

namespace statnat {

namespace {

std::uint8_t icmp_protocol(Family family) {
    if (family == Family::ipv4) {
        return IPPROTO_ICMP;
    }
    return IPPROTO_ICMPV6;
}

std::uint32_t address_offset(Family family, Field field) {
    if (family == Family::ipv4) {
        return field == Field::source ? 12 : 16;
    }
    return field == Field::source ? 8 : 24;
}

// 1 for each bit of the prefix.
Address mask_of(const Prefix& prefix) {
    Address ones{prefix.address.family, {}};
    ones.bytes.fill(0xff);
    return Prefix::of(ones, prefix.length).address;
}

// [ payload load 4b @ network header + 16 => reg 1 ]
void put_address_load(nlmsghdr* message, Family family, Field field) {
    put_payload_load(message, NFT_PAYLOAD_NETWORK_HEADER, address_offset(family, field), address_size(family));
}

// meta mark set meta mark & ~BITS ^ VALUE
void put_mark(nlmsghdr* message, std::uint32_t bits, std::uint32_t value) {
    put_meta_load(message, NFT_META_MARK);
    const std::uint32_t others = ~bits;
    put_mask(message, &others, sizeof others, &value);
    put(message, "meta", {{NFTNL_EXPR_META_KEY, NFT_META_MARK}, {NFTNL_EXPR_META_SREG, NFT_REG_1}});
}

// Writes the expressions of a statement into the list that is open in `message`.
struct StatementWriter {
    nlmsghdr* message;
    Family family;
    Traffic traffic;  // where a counter starts
    Ranges ranges = Ranges::two_comparisons;

    // libnftnl has a closed table of expressions, and ours is not in it.
    void operator()(const SnatStateless& statement) const {
        nlattr* item = mnl_attr_nest_start(message, NFTA_LIST_ELEM);
        put_text(message, NFTA_EXPR_NAME, NFT_SNAT_STATELESS_NAME);
        nlattr* data = mnl_attr_nest_start(message, NFTA_EXPR_DATA);
        put(message, statement);
        mnl_attr_nest_end(message, data);
        mnl_attr_nest_end(message, item);
    }

    // [ payload load 4b @ network header + 16 => reg 1 ]
    // [ lookup reg 1 set ext2int dreg 1 ]
    // [ payload write reg 1 => 4b @ network header + 16 csum_type 1 csum_off 10 csum_flags 0x1 ]
    void operator()(const SetAddress& statement) const {
        put_address_load(message, family, statement.field);
        const auto lookup = expression("lookup");
        nftnl_expr_set_u32(lookup.get(), NFTNL_EXPR_LOOKUP_SREG, NFT_REG_1);
        nftnl_expr_set_u32(lookup.get(), NFTNL_EXPR_LOOKUP_DREG, NFT_REG_1);
        nftnl_expr_set_str(lookup.get(), NFTNL_EXPR_LOOKUP_SET, statement.map.c_str());
        put(message, lookup);
        const auto write = expression("payload");
        nftnl_expr_set_u32(write.get(), NFTNL_EXPR_PAYLOAD_BASE, NFT_PAYLOAD_NETWORK_HEADER);
        nftnl_expr_set_u32(write.get(), NFTNL_EXPR_PAYLOAD_OFFSET, address_offset(family, statement.field));
        nftnl_expr_set_u32(write.get(), NFTNL_EXPR_PAYLOAD_LEN, address_size(family));
        nftnl_expr_set_u32(write.get(), NFTNL_EXPR_PAYLOAD_SREG, NFT_REG_1);
        if (family == Family::ipv4) {
            nftnl_expr_set_u32(write.get(), NFTNL_EXPR_PAYLOAD_CSUM_TYPE, NFT_PAYLOAD_CSUM_INET);
            nftnl_expr_set_u32(write.get(), NFTNL_EXPR_PAYLOAD_CSUM_OFFSET, 10);
        } else {
            nftnl_expr_set_u32(write.get(), NFTNL_EXPR_PAYLOAD_CSUM_TYPE, NFT_PAYLOAD_CSUM_NONE);
            nftnl_expr_set_u32(write.get(), NFTNL_EXPR_PAYLOAD_CSUM_OFFSET, 0);
        }
        nftnl_expr_set_u32(write.get(), NFTNL_EXPR_PAYLOAD_FLAGS, NFT_PAYLOAD_L4CSUM_PSEUDOHDR);
        put(message, write);
    }

    // [ payload load 4b @ network header + 12 => reg 1 ]
    // [ lookup reg 1 set int2ext ]
    void operator()(const MatchAddress& statement) const {
        put_address_load(message, family, statement.field);
        put_lookup(message, statement.set, statement.inverted);
    }

    // [ meta load protocol => reg 1 ]
    // [ lookup reg 1 set MAP dreg 0 ]
    void operator()(const AskStanding& statement) const {
        put_meta_load(message, NFT_META_PROTOCOL);
        put_verdict_lookup(message, statement.map);
    }

    // [ payload load 16b @ network header + 24 => reg 1 ]
    // [ bitwise reg 1 = ( reg 1 & 0x0000c0ff 0x00000000 0x00000000 0x00000000 ) ^ 0x00000000 ... ]
    // [ cmp neq reg 1 0x000080fe 0x00000000 0x00000000 0x00000000 ]
    // or, of whole bytes, as nft does it, so that what it has loaded from a listing is the same:
    // [ payload load 2b @ network header + 16 => reg 1 ]
    // [ cmp neq reg 1 0x0000fea9 ]
    void operator()(const MatchOutside& statement) const {
        const Prefix& prefix = statement.prefix;
        if (prefix.length % 8 == 0) {
            const std::uint32_t bytes = prefix.length / 8;
            put_payload_load(message, NFT_PAYLOAD_NETWORK_HEADER, address_offset(family, statement.field), bytes);
            put_compare(message, NFT_CMP_NEQ, prefix.address.bytes.data(), bytes);
            return;
        }
        put_address_load(message, family, statement.field);
        put_mask(message, mask_of(prefix).bytes.data(), address_size(family));
        put_compare(message, NFT_CMP_NEQ, prefix.address.bytes.data(), address_size(family));
    }

    // [ payload load 4b @ network header + 16 => reg 1 ]
    // [ cmp eq reg 1 0x026433c6 ]
    void operator()(const MatchHost& statement) const {
        put_address_load(message, family, statement.field);
        put_compare(message, NFT_CMP_EQ, statement.address.bytes.data(), address_size(family));
    }

    // [ meta load l4proto => reg 1 ]
    // [ cmp eq reg 1 0x00000006 ]
    // [ payload load 2b @ transport header + 2 => reg 1 ]
    // [ cmp eq reg 1 0x0000fb20 ]
    void operator()(const MatchService& statement) const {
        put_meta_load(message, NFT_META_L4PROTO);
        put_compare(message, NFT_CMP_EQ, &statement.protocol, sizeof statement.protocol);
        if (statement.port) {
            put_payload_load(message, NFT_PAYLOAD_TRANSPORT_HEADER, statement.field == Field::source ? 0 : 2, 2);
            const std::uint16_t port = htons(*statement.port);
            put_compare(message, NFT_CMP_EQ, &port, sizeof port);
        }
    }

    // [ payload load 1b @ transport header + 17 => reg 1 ]
    // [ cmp eq reg 1 0x00000006 ]
    void operator()(const MatchBytes& statement) const {
        const auto size = static_cast<std::uint32_t>(statement.bytes.size());
        put_payload_load(message, NFT_PAYLOAD_TRANSPORT_HEADER, statement.offset, size);
        put_compare(message, NFT_CMP_EQ, statement.bytes.data(), size);
    }

    // [ fib daddr type => reg 1 ]
    // [ cmp eq reg 1 0x00000001 ]
    void operator()(const MatchAddressType& statement) const {
        put_fib(message, NFT_FIB_RESULT_ADDRTYPE,
                statement.field == Field::source ? NFTA_FIB_F_SADDR : NFTA_FIB_F_DADDR);
        const auto type = static_cast<std::uint32_t>(statement.type);
        put_compare(message, NFT_CMP_EQ, &type, sizeof type);
    }

    // [ meta load iif => reg 1 ]
    // [ cmp neq reg 1 0x00000000 ]
    void operator()(const MatchForwarded& statement) const {
        put_meta_load(message, NFT_META_IIF);
        const std::uint32_t none = 0;
        put_compare(message, statement.forwarded ? NFT_CMP_NEQ : NFT_CMP_EQ, &none, sizeof none);
    }

    // [ meta load iifname => reg 1 ] or [ fib daddr . mark oifname => reg 1 ]
    // [ cmp eq reg 1 0x306e6177 0x00000000 0x00000000 0x00000000 ] or, before an asterisk, of as many bytes
    void operator()(const MatchInterface& statement) const {
        if (statement.way == MatchInterface::Way::route) {
            put_fib(message, NFT_FIB_RESULT_OIFNAME, NFTA_FIB_F_DADDR | NFTA_FIB_F_MARK);
        } else {
            put_meta_load(message, statement.way == MatchInterface::Way::in ? NFT_META_IIFNAME : NFT_META_OIFNAME);
        }
        std::array<char, IFNAMSIZ> name{};
        const bool begins = statement.name.ends_with('*');
        const std::size_t length = statement.name.size() - (begins ? 1 : 0);
        std::copy_n(statement.name.begin(), std::min(length, name.size()), name.begin());
        put_compare(message, NFT_CMP_EQ, name.data(), static_cast<std::uint32_t>(begins ? length : name.size()));
    }

    // [ meta load l4proto => reg 1 ]
    // [ cmp eq reg 1 0x00000001 ]
    // [ payload load 1b @ transport header + 0 => reg 1 ]
    // [ cmp gte reg 1 0x00000003 ]
    // [ cmp lte reg 1 0x00000005 ] or, in place of these two, [ range eq reg 1 0x00000003 0x00000005 ]
    void operator()(const MatchIcmpType& statement) const {
        put_meta_load(message, NFT_META_L4PROTO);
        const std::uint8_t protocol = icmp_protocol(family);
        put_compare(message, NFT_CMP_EQ, &protocol, sizeof protocol);
        put_payload_load(message, NFT_PAYLOAD_TRANSPORT_HEADER, 0, 1);
        if (statement.first == statement.last) {
            put_compare(message, NFT_CMP_EQ, &statement.first, sizeof statement.first);
        } else if (ranges == Ranges::one_expression) {
            put_range(message, statement.first, statement.last);
        } else {
            put_compare(message, NFT_CMP_GTE, &statement.first, sizeof statement.first);
            put_compare(message, NFT_CMP_LTE, &statement.last, sizeof statement.last);
        }
    }

    // [ payload load 2b @ network header + 6 => reg 1 ]
    // [ bitwise reg 1 = ( reg 1 & 0x0000ff1f ) ^ 0x00000000 ]
    // [ cmp eq reg 1 0x00000000 ]
    void operator()(const MatchBeginning&) const {
        constexpr std::uint32_t fragment_offset = 6;
        const std::uint16_t offset = htons(0x1fff);
        const std::uint16_t zero = 0;
        put_payload_load(message, NFT_PAYLOAD_NETWORK_HEADER, fragment_offset, sizeof offset);
        put_mask(message, &offset, sizeof offset);
        put_compare(message, NFT_CMP_EQ, &zero, sizeof zero);
    }

    // [ ct load state => reg 1 ]
    // [ bitwise reg 1 = ( reg 1 & 0x00000040 ) ^ 0x00000000 ]
    // [ cmp neq reg 1 0x00000000 ]
    void operator()(const MatchUntracked&) const {
        put(message, "ct", {{NFTNL_EXPR_CT_KEY, NFT_CT_STATE}, {NFTNL_EXPR_CT_DREG, NFT_REG_1}});
        const std::uint32_t untracked = NF_CT_STATE_UNTRACKED_BIT;
        const std::uint32_t zero = 0;
        put_mask(message, &untracked, sizeof untracked);
        put_compare(message, NFT_CMP_NEQ, &zero, sizeof zero);
    }

    // [ meta load mark => reg 1 ]
    // [ bitwise reg 1 = ( reg 1 & 0xf7ffffff ) ^ 0x08000000 ]
    // [ meta set mark with reg 1 ]
    void operator()(const SetMark& statement) const { put_mark(message, statement.bits, statement.bits); }

    // [ meta load mark => reg 1 ]
    // [ bitwise reg 1 = ( reg 1 & 0xf7ffffff ) ^ 0x00000000 ]
    // [ meta set mark with reg 1 ]
    void operator()(const ClearMark& statement) const { put_mark(message, statement.bits, 0); }

    // [ meta load mark => reg 1 ]
    // [ bitwise reg 1 = ( reg 1 & 0x00010000 ) ^ 0x00000000 ]
    // [ cmp eq reg 1 0x00010000 ]
    void operator()(const MatchMark& statement) const {
        put_meta_load(message, NFT_META_MARK);
        put_mask(message, &statement.bits, sizeof statement.bits);
        put_compare(message, NFT_CMP_EQ, &statement.bits, sizeof statement.bits);
    }

    // [ payload load 4b @ network header + 12 => reg 1 ]
    // [ nat snat ip addr_min reg 1 addr_max reg 1 flags 0x1 ]
    void operator()(const KeepSource&) const {
        put_address_load(message, family, Field::source);
        put(message, "nat", {{NFTNL_EXPR_NAT_TYPE, NFT_NAT_SNAT}, {NFTNL_EXPR_NAT_FAMILY, protocol_family(family)},
                             {NFTNL_EXPR_NAT_REG_ADDR_MIN, NFT_REG_1}, {NFTNL_EXPR_NAT_REG_ADDR_MAX, NFT_REG_1},
                             {NFTNL_EXPR_NAT_FLAGS, NF_NAT_RANGE_MAP_IPS}});
    }

    // [ immediate reg 0 drop ]
    void operator()(const Drop&) const { put_verdict(message, NF_DROP); }

    // [ immediate reg 0 accept ]
    void operator()(const Accept&) const { put_verdict(message, NF_ACCEPT); }

    // [ notrack ]
    void operator()(const Notrack&) const { put(message, expression("notrack")); }

    // [ counter pkts 0 bytes 0 ]
    void operator()(const Counter&) const {
        const auto counter = expression("counter");
        nftnl_expr_set_u64(counter.get(), NFTNL_EXPR_CTR_PACKETS, traffic.packets);
        nftnl_expr_set_u64(counter.get(), NFTNL_EXPR_CTR_BYTES, traffic.bytes);
        put(message, counter);
    }

    void operator()(const Foreign& statement) const {
        throw CannotGoOn{"internal error: asked to write a foreign expression \"" + statement.expression + "\""};
    }
};

}  // namespace

void put(nlmsghdr* message, const Statement& statement, Family family, const Traffic& traffic, Ranges ranges) {
    std::visit(StatementWriter{message, family, traffic, ranges}, statement);
}

void put(nlmsghdr* message, const Rule& rule, Family family) {
    for (const Statement& statement : rule.statements) {
        put(message, statement, family, rule.traffic);
    }
}

}  // namespace statnat
