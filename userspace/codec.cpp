// SPDX-License-Identifier: GPL-2.0-or-later
// Encoder and decoder of nf_tables messages; what one writes for a statement is what the other recognizes as it.
#include "codec.hpp"

#include "error.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <new>

#include <arpa/inet.h>
#include <endian.h>
#include <libmnl/libmnl.h>
#include <libnftnl/chain.h>
#include <libnftnl/common.h>
#include <libnftnl/expr.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <libnftnl/udata.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nft_snat_stateless.h>
#include <linux/netlink.h>
#include <netinet/in.h>

namespace statnat {

namespace {

template <auto free_function>
struct Freed {
    template <typename T>
    void operator()(T* handle) const {
        free_function(handle);
    }
};

using TableHandle = std::unique_ptr<nftnl_table, Freed<nftnl_table_free>>;
using SetHandle = std::unique_ptr<nftnl_set, Freed<nftnl_set_free>>;
using ChainHandle = std::unique_ptr<nftnl_chain, Freed<nftnl_chain_free>>;
using ExpressionHandle = std::unique_ptr<nftnl_expr, Freed<nftnl_expr_free>>;
using UserDataHandle = std::unique_ptr<nftnl_udata_buf, Freed<nftnl_udata_buf_free>>;

template <typename Handle>
Handle owned(typename Handle::pointer pointer) {
    if (!pointer) {
        throw std::bad_alloc();
    }
    return Handle(pointer);
}

// The numbers nft(8) gives to its data types and byte orders; it reads them back to print a set.
constexpr std::uint32_t nft_type_ipv4_addr = 7;
constexpr std::uint32_t nft_type_ipv6_addr = 8;
constexpr std::uint32_t nft_big_endian = 2;

constexpr std::string_view probe_table = "statnat-probe";

// An attribute's length has 16 bits; a list of elements stays well below, the rest goes into another message.
constexpr std::size_t list_limit = 60000;
constexpr std::size_t scratch_size = 128 * 1024;

std::uint32_t address_type(Family family) {
    return family == Family::ipv4 ? nft_type_ipv4_addr : nft_type_ipv6_addr;
}

std::uint32_t address_size(Family family) {
    return family == Family::ipv4 ? 4 : 16;
}

std::uint8_t protocol_family(Family family) {
    return family == Family::ipv4 ? NFPROTO_IPV4 : NFPROTO_IPV6;
}

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

std::uint32_t hook_number(Hook hook) {
    switch (hook) {
    case Hook::prerouting: return NF_INET_PRE_ROUTING;
    case Hook::input: return NF_INET_LOCAL_IN;
    case Hook::forward: return NF_INET_FORWARD;
    case Hook::output: return NF_INET_LOCAL_OUT;
    case Hook::postrouting: return NF_INET_POST_ROUTING;
    }
    throw CannotGoOn{"internal error: a hook without a number"};
}

std::optional<Hook> hook_of(std::uint32_t number) {
    for (const Hook hook : {Hook::prerouting, Hook::input, Hook::forward, Hook::output, Hook::postrouting}) {
        if (hook_number(hook) == number) {
            return hook;
        }
    }
    return {};
}

// ---------------------------------------------------------------------------------------------------------------------
// Writing

ExpressionHandle expression(const char* name) {
    return owned<ExpressionHandle>(nftnl_expr_alloc(name));
}

void put(nlmsghdr* message, const ExpressionHandle& expression) {
    nlattr* item = mnl_attr_nest_start(message, NFTA_LIST_ELEM);
    nftnl_expr_build_payload(message, expression.get());
    mnl_attr_nest_end(message, item);
}

void put_text(nlmsghdr* message, std::uint16_t type, std::string_view text) {
    mnl_attr_put_strz(message, type, std::string(text).c_str());
}

void put_number(nlmsghdr* message, std::uint16_t type, std::uint32_t number) {
    mnl_attr_put_u32(message, type, htonl(number));
}

// [ payload load LENGTHb @ BASE header + OFFSET => reg 1 ]
void put_payload_load(nlmsghdr* message, std::uint32_t base, std::uint32_t offset, std::uint32_t length) {
    const auto load = expression("payload");
    nftnl_expr_set_u32(load.get(), NFTNL_EXPR_PAYLOAD_BASE, base);
    nftnl_expr_set_u32(load.get(), NFTNL_EXPR_PAYLOAD_OFFSET, offset);
    nftnl_expr_set_u32(load.get(), NFTNL_EXPR_PAYLOAD_LEN, length);
    nftnl_expr_set_u32(load.get(), NFTNL_EXPR_PAYLOAD_DREG, NFT_REG_1);
    put(message, load);
}

// [ payload load 4b @ network header + 16 => reg 1 ]
void put_address_load(nlmsghdr* message, Family family, Field field) {
    put_payload_load(message, NFT_PAYLOAD_NETWORK_HEADER, address_offset(family, field), address_size(family));
}

// [ cmp OPERATOR reg 1 DATA ]
void put_compare(nlmsghdr* message, std::uint32_t comparison, const void* data, std::uint32_t size) {
    const auto compare = expression("cmp");
    nftnl_expr_set_u32(compare.get(), NFTNL_EXPR_CMP_SREG, NFT_REG_1);
    nftnl_expr_set_u32(compare.get(), NFTNL_EXPR_CMP_OP, comparison);
    nftnl_expr_set(compare.get(), NFTNL_EXPR_CMP_DATA, data, size);
    put(message, compare);
}

// Writes the expressions of a statement into the list that is open in `message`.
struct StatementWriter {
    nlmsghdr* message;
    Family family;
    Traffic traffic;  // where a counter starts

    // libnftnl has a closed table of expressions, and ours is not in it.
    void operator()(const SnatStateless& statement) const {
        nlattr* item = mnl_attr_nest_start(message, NFTA_LIST_ELEM);
        put_text(message, NFTA_EXPR_NAME, NFT_SNAT_STATELESS_NAME);
        nlattr* data = mnl_attr_nest_start(message, NFTA_EXPR_DATA);
        put_number(message, NFTA_SNAT_STATELESS_FIELD,
                   statement.field == Field::source ? NFT_SNAT_STATELESS_SADDR : NFT_SNAT_STATELESS_DADDR);
        put_text(message, NFTA_SNAT_STATELESS_MAP, statement.map);
        std::uint32_t flags = 0;
        for (const auto& [set, flag] : {std::pair{statement.notrack, NFT_SNAT_STATELESS_F_NOTRACK},
                                        std::pair{statement.untrack, NFT_SNAT_STATELESS_F_UNTRACK},
                                        std::pair{statement.untracked, NFT_SNAT_STATELESS_F_UNTRACKED},
                                        std::pair{statement.tracked, NFT_SNAT_STATELESS_F_TRACKED}}) {
            if (set) {
                flags |= flag;
            }
        }
        put_number(message, NFTA_SNAT_STATELESS_FLAGS, flags);
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
        const auto lookup = expression("lookup");
        nftnl_expr_set_u32(lookup.get(), NFTNL_EXPR_LOOKUP_SREG, NFT_REG_1);
        nftnl_expr_set_str(lookup.get(), NFTNL_EXPR_LOOKUP_SET, statement.set.c_str());
        if (statement.inverted) {
            nftnl_expr_set_u32(lookup.get(), NFTNL_EXPR_LOOKUP_FLAGS, NFT_LOOKUP_F_INV);
        }
        put(message, lookup);
    }

    // [ meta load l4proto => reg 1 ]
    // [ cmp eq reg 1 0x00000001 ]
    // [ payload load 1b @ transport header + 0 => reg 1 ]
    // [ cmp gte reg 1 0x00000003 ]
    // [ cmp lte reg 1 0x00000005 ]
    void operator()(const MatchIcmpType& statement) const {
        const auto load = expression("meta");
        nftnl_expr_set_u32(load.get(), NFTNL_EXPR_META_KEY, NFT_META_L4PROTO);
        nftnl_expr_set_u32(load.get(), NFTNL_EXPR_META_DREG, NFT_REG_1);
        put(message, load);
        const std::uint8_t protocol = icmp_protocol(family);
        put_compare(message, NFT_CMP_EQ, &protocol, sizeof protocol);
        put_payload_load(message, NFT_PAYLOAD_TRANSPORT_HEADER, 0, 1);
        if (statement.first == statement.last) {
            put_compare(message, NFT_CMP_EQ, &statement.first, sizeof statement.first);
        } else {
            put_compare(message, NFT_CMP_GTE, &statement.first, sizeof statement.first);
            put_compare(message, NFT_CMP_LTE, &statement.last, sizeof statement.last);
        }
    }

    // [ ct load state => reg 1 ]
    // [ bitwise reg 1 = ( reg 1 & 0x00000040 ) ^ 0x00000000 ]
    // [ cmp neq reg 1 0x00000000 ]
    void operator()(const MatchUntracked&) const {
        const auto load = expression("ct");
        nftnl_expr_set_u32(load.get(), NFTNL_EXPR_CT_KEY, NFT_CT_STATE);
        nftnl_expr_set_u32(load.get(), NFTNL_EXPR_CT_DREG, NFT_REG_1);
        put(message, load);
        const std::uint32_t untracked = NF_CT_STATE_UNTRACKED_BIT;
        const std::uint32_t zero = 0;
        const auto mask = expression("bitwise");
        nftnl_expr_set_u32(mask.get(), NFTNL_EXPR_BITWISE_SREG, NFT_REG_1);
        nftnl_expr_set_u32(mask.get(), NFTNL_EXPR_BITWISE_DREG, NFT_REG_1);
        nftnl_expr_set_u32(mask.get(), NFTNL_EXPR_BITWISE_OP, NFT_BITWISE_BOOL);
        nftnl_expr_set_u32(mask.get(), NFTNL_EXPR_BITWISE_LEN, sizeof untracked);
        nftnl_expr_set(mask.get(), NFTNL_EXPR_BITWISE_MASK, &untracked, sizeof untracked);
        nftnl_expr_set(mask.get(), NFTNL_EXPR_BITWISE_XOR, &zero, sizeof zero);
        put(message, mask);
        put_compare(message, NFT_CMP_NEQ, &zero, sizeof zero);
    }

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

void put_counter(nlmsghdr* message, const Traffic& traffic) {
    put_text(message, NFTA_EXPR_NAME, "counter");
    nlattr* data = mnl_attr_nest_start(message, NFTA_EXPR_DATA);
    mnl_attr_put_u64(message, NFTA_COUNTER_BYTES, htobe64(traffic.bytes));
    mnl_attr_put_u64(message, NFTA_COUNTER_PACKETS, htobe64(traffic.packets));
    mnl_attr_nest_end(message, data);
}

void put_address(nlmsghdr* message, std::uint16_t type, const Address& address) {
    nlattr* nest = mnl_attr_nest_start(message, type);
    mnl_attr_put(message, NFTA_DATA_VALUE, address.size(), address.bytes.data());
    mnl_attr_nest_end(message, nest);
}

UserDataHandle user_data() {
    return owned<UserDataHandle>(nftnl_udata_buf_alloc(NFT_USERDATA_MAXLEN));
}

void put_user_data(nlmsghdr* message, std::uint16_t type, const UserDataHandle& data) {
    mnl_attr_put(message, type, nftnl_udata_buf_len(data.get()), nftnl_udata_buf_data(data.get()));
}

// One boundary of an interval as nft(8) writes it.
void put_boundary(nlmsghdr* message, const Address& address, bool end, bool open) {
    nlattr* item = mnl_attr_nest_start(message, NFTA_LIST_ELEM);
    if (end) {
        put_number(message, NFTA_SET_ELEM_FLAGS, NFT_SET_ELEM_INTERVAL_END);
    }
    put_address(message, NFTA_SET_ELEM_KEY, address);
    if (open) {
        const auto data = user_data();
        nftnl_udata_put_u32(data.get(), NFTNL_UDATA_SET_ELEM_FLAGS, NFTNL_SET_ELEM_F_INTERVAL_OPEN);
        put_user_data(message, NFTA_SET_ELEM_USERDATA, data);
    }
    mnl_attr_nest_end(message, item);
}

void put_element(nlmsghdr* message, const Map& map, const Element& element) {
    nlattr* item = mnl_attr_nest_start(message, NFTA_LIST_ELEM);
    put_address(message, NFTA_SET_ELEM_KEY, element.key);
    if (map.values) {
        put_address(message, NFTA_SET_ELEM_DATA, element.value);
    }
    if (!element.comment.empty()) {
        const auto data = user_data();
        nftnl_udata_put_strz(data.get(), NFTNL_UDATA_SET_ELEM_COMMENT, element.comment.c_str());
        put_user_data(message, NFTA_SET_ELEM_USERDATA, data);
    }
    // Without this the kernel gives the element the map's own counter, at zero.
    if (map.counters && element.traffic != Traffic{}) {
        nlattr* counter = mnl_attr_nest_start(message, NFTA_SET_ELEM_EXPR);
        put_counter(message, element.traffic);
        mnl_attr_nest_end(message, counter);
    }
    mnl_attr_nest_end(message, item);
}

// The address after `address`, or nothing after the last one.
std::optional<Address> next(Address address) {
    for (std::size_t i = address.size(); i-- > 0;) {
        if (++address.bytes[i] != 0) {
            return address;
        }
    }
    return {};
}

// Appends messages to a datagram; each is built in a buffer of its own, since libmnl needs it to stay in place.
class Writer {
public:
    Writer(std::uint32_t sequence) : sequence_(sequence), scratch_(scratch_size) {}

    nlmsghdr* start(std::uint16_t type, std::uint8_t family, unsigned flags) {
        return nftnl_nlmsg_build_hdr(scratch_.data(), static_cast<std::uint16_t>((NFNL_SUBSYS_NFTABLES << 8) | type),
                                     family, static_cast<std::uint16_t>(flags), sequence_++);
    }

    nlmsghdr* start_batch(bool end) {
        return end ? nftnl_batch_end(scratch_.data(), sequence_++) : nftnl_batch_begin(scratch_.data(), sequence_++);
    }

    void finish(const nlmsghdr* message) {
        const auto end = scratch_.begin() + static_cast<std::ptrdiff_t>(MNL_ALIGN(message->nlmsg_len));
        last_ = bytes_.size();
        bytes_.insert(bytes_.end(), scratch_.begin(), end);
        // libmnl 1.0.4 leaves the padding behind an attribute as it finds it.
        std::fill(scratch_.begin(), end, '\0');
    }

    // Asks the kernel to answer the message finished last; returns that one's sequence number.
    std::uint32_t acknowledge_last() {
        auto* message = reinterpret_cast<nlmsghdr*>(bytes_.data() + last_);
        message->nlmsg_flags |= NLM_F_ACK;
        return message->nlmsg_seq;
    }

    Bytes take() { return std::move(bytes_); }

private:
    std::uint32_t sequence_;
    std::vector<char> scratch_;
    std::size_t last_ = 0;
    Bytes bytes_;
};

// Writes the messages of each step.
class Encoder {
public:
    Encoder(std::string_view table, std::uint32_t first_sequence) : writer_(first_sequence), table_(table) {
        batch_.first_sequence = first_sequence;
    }

    void begin(std::optional<std::uint32_t> generation) {
        nlmsghdr* message = writer_.start_batch(false);
        if (generation) {
            put_number(message, NFNL_BATCH_GENID, *generation);
        }
        finish(message);
    }

    void encode(const Plan& plan) {
        for (step_ = 0; step_ < plan.size(); ++step_) {
            std::visit(*this, plan[step_]);
        }
        step_ = Batch::no_step;
    }

    void confirm() { batch_.confirmed = writer_.acknowledge_last(); }

    void end() { finish(writer_.start_batch(true)); }

    Batch take() {
        batch_.bytes = writer_.take();
        return std::move(batch_);
    }

    // add table FAMILY NAME
    void operator()(const AddTable& step) {
        nlmsghdr* message = start(NFT_MSG_NEWTABLE, step.family, NLM_F_CREATE);
        const auto table = owned<TableHandle>(nftnl_table_alloc());
        nftnl_table_set_str(table.get(), NFTNL_TABLE_NAME, table_.c_str());
        nftnl_table_set_u32(table.get(), NFTNL_TABLE_FLAGS, 0);
        nftnl_table_nlmsg_build_payload(message, table.get());
        finish(message);
    }

    // delete table FAMILY NAME
    void operator()(const DeleteTable& step) {
        nlmsghdr* message = start(NFT_MSG_DELTABLE, step.family, 0);
        put_text(message, NFTA_TABLE_NAME, table_);
        finish(message);
    }

    // add map NAME { type ipv4_addr : ipv4_addr; size CAPACITY; counter; }
    void operator()(const AddMap& step) {
        const auto set = new_set(step.map.name, step.family);
        const auto data = user_data();
        nftnl_udata_put_u32(data.get(), NFTNL_UDATA_SET_KEYBYTEORDER, nft_big_endian);
        if (step.map.values) {
            nftnl_set_set_u32(set.get(), NFTNL_SET_FLAGS, NFT_SET_MAP);
            nftnl_set_set_u32(set.get(), NFTNL_SET_DATA_TYPE, address_type(step.family));
            nftnl_set_set_u32(set.get(), NFTNL_SET_DATA_LEN, address_size(step.family));
            nftnl_udata_put_u32(data.get(), NFTNL_UDATA_SET_DATABYTEORDER, nft_big_endian);
            nftnl_udata_put_u32(data.get(), NFTNL_UDATA_SET_DATA_INTERVAL, 0);
        } else {
            nftnl_set_set_u32(set.get(), NFTNL_SET_FLAGS, 0);
        }
        if (step.map.capacity != 0) {
            nftnl_set_set_u32(set.get(), NFTNL_SET_DESC_SIZE, step.map.capacity);
        }
        if (step.map.counters) {
            nftnl_set_add_expr(set.get(), expression("counter").release());
        }
        finish_set(set, data, step.family);
    }

    // delete map NAME
    void operator()(const DeleteMap& step) { delete_set(step.family, step.name); }

    // add element NAME { KEY counter packets N bytes N comment "..." : VALUE, ... }
    void operator()(const AddElements& step) {
        put_elements(NFT_MSG_NEWSETELEM, NLM_F_CREATE | NLM_F_EXCL, step.family, step.map.name, step.map.elements,
                     [&](nlmsghdr* message, const Element& element) { put_element(message, step.map, element); });
    }

    // delete element NAME { KEY, ... }
    void operator()(const DeleteElements& step) {
        put_elements(NFT_MSG_DELSETELEM, 0, step.family, step.map.name, step.map.elements,
                     [](nlmsghdr* message, const Element& element) {
                         nlattr* item = mnl_attr_nest_start(message, NFTA_LIST_ELEM);
                         put_address(message, NFTA_SET_ELEM_KEY, element.key);
                         mnl_attr_nest_end(message, item);
                     });
    }

    // add set NAME { type ipv4_addr; flags interval; elements = { PREFIX, ... } }
    void operator()(const AddPrefixSet& step) {
        const auto set = new_set(step.set.name, step.family);
        nftnl_set_set_u32(set.get(), NFTNL_SET_FLAGS, NFT_SET_INTERVAL);
        const auto data = user_data();
        nftnl_udata_put_u32(data.get(), NFTNL_UDATA_SET_KEYBYTEORDER, nft_big_endian);
        finish_set(set, data, step.family);
        put_elements(NFT_MSG_NEWSETELEM, NLM_F_CREATE, step.family, step.set.name, step.set.prefixes,
                     [](nlmsghdr* message, const Prefix& prefix) {
                         const auto end = next(prefix.last());
                         put_boundary(message, prefix.first(), false, !end);
                         if (end) {
                             put_boundary(message, *end, true, false);
                         }
                     });
    }

    // delete set NAME
    void operator()(const DeletePrefixSet& step) { delete_set(step.family, step.name); }

    // add chain NAME { type filter hook HOOK priority PRIORITY; comment "..."; }
    void operator()(const AddChain& step) {
        nlmsghdr* message = start(NFT_MSG_NEWCHAIN, step.family, NLM_F_CREATE | NLM_F_EXCL);
        const auto chain = owned<ChainHandle>(nftnl_chain_alloc());
        nftnl_chain_set_str(chain.get(), NFTNL_CHAIN_TABLE, table_.c_str());
        nftnl_chain_set_str(chain.get(), NFTNL_CHAIN_NAME, step.chain.name.c_str());
        if (step.chain.hook) {
            nftnl_chain_set_str(chain.get(), NFTNL_CHAIN_TYPE,
                                step.chain.type == ChainType::route ? "route" : "filter");
            nftnl_chain_set_u32(chain.get(), NFTNL_CHAIN_HOOKNUM, hook_number(*step.chain.hook));
            nftnl_chain_set_s32(chain.get(), NFTNL_CHAIN_PRIO, step.chain.priority);
        }
        if (!step.chain.comment.empty()) {
            const auto data = user_data();
            nftnl_udata_put_strz(data.get(), NFTNL_UDATA_CHAIN_COMMENT, step.chain.comment.c_str());
            nftnl_chain_set_data(chain.get(), NFTNL_CHAIN_USERDATA, nftnl_udata_buf_data(data.get()),
                                 nftnl_udata_buf_len(data.get()));
        }
        nftnl_chain_nlmsg_build_payload(message, chain.get());
        finish(message);
        add_rules(step.family, step.chain.name, step.chain.rules);
    }

    // flush chain NAME
    void operator()(const FlushChain& step) {
        nlmsghdr* message = start(NFT_MSG_DELRULE, step.family, 0);
        put_text(message, NFTA_RULE_TABLE, table_);
        put_text(message, NFTA_RULE_CHAIN, step.name);
        finish(message);
    }

    // add rule CHAIN ...
    void operator()(const AddRules& step) { add_rules(step.family, step.chain, step.rules); }

    // delete chain NAME
    void operator()(const DeleteChain& step) {
        nlmsghdr* message = start(NFT_MSG_DELCHAIN, step.family, 0);
        put_text(message, NFTA_CHAIN_TABLE, table_);
        put_text(message, NFTA_CHAIN_NAME, step.name);
        finish(message);
    }

private:
    nlmsghdr* start(std::uint16_t type, Family family, unsigned flags) {
        return writer_.start(type, protocol_family(family), flags);
    }

    void finish(const nlmsghdr* message) {
        writer_.finish(message);
        batch_.steps.push_back(step_);
    }

    SetHandle new_set(const std::string& name, Family family) {
        auto set = owned<SetHandle>(nftnl_set_alloc());
        nftnl_set_set_str(set.get(), NFTNL_SET_TABLE, table_.c_str());
        nftnl_set_set_str(set.get(), NFTNL_SET_NAME, name.c_str());
        nftnl_set_set_u32(set.get(), NFTNL_SET_ID, ++last_set_id_);
        nftnl_set_set_u32(set.get(), NFTNL_SET_KEY_TYPE, address_type(family));
        nftnl_set_set_u32(set.get(), NFTNL_SET_KEY_LEN, address_size(family));
        return set;
    }

    void finish_set(const SetHandle& set, const UserDataHandle& data, Family family) {
        nftnl_set_set_data(set.get(), NFTNL_SET_USERDATA, nftnl_udata_buf_data(data.get()),
                           nftnl_udata_buf_len(data.get()));
        nlmsghdr* message = start(NFT_MSG_NEWSET, family, NLM_F_CREATE | NLM_F_EXCL);
        nftnl_set_nlmsg_build_payload(message, set.get());
        finish(message);
    }

    void delete_set(Family family, const std::string& name) {
        nlmsghdr* message = start(NFT_MSG_DELSET, family, 0);
        put_text(message, NFTA_SET_TABLE, table_);
        put_text(message, NFTA_SET_NAME, name);
        finish(message);
    }

    // As many messages as the items need; `put_item` appends one item's attributes to the open list.
    template <typename Item, typename PutItem>
    void put_elements(std::uint16_t type, unsigned flags, Family family, const std::string& set,
                      const std::vector<Item>& items, PutItem put_item) {
        for (auto item = items.begin(); item != items.end();) {
            nlmsghdr* message = start(type, family, flags);
            put_text(message, NFTA_SET_ELEM_LIST_TABLE, table_);
            put_text(message, NFTA_SET_ELEM_LIST_SET, set);
            nlattr* list = mnl_attr_nest_start(message, NFTA_SET_ELEM_LIST_ELEMENTS);
            while (item != items.end() && message->nlmsg_len < list_limit) {
                put_item(message, *item++);
            }
            mnl_attr_nest_end(message, list);
            finish(message);
        }
    }

    void add_rules(Family family, const std::string& chain, const std::vector<Rule>& rules) {
        for (const Rule& rule : rules) {
            nlmsghdr* message = start(NFT_MSG_NEWRULE, family, NLM_F_CREATE | NLM_F_APPEND);
            put_text(message, NFTA_RULE_TABLE, table_);
            put_text(message, NFTA_RULE_CHAIN, chain);
            nlattr* list = mnl_attr_nest_start(message, NFTA_RULE_EXPRESSIONS);
            for (const Statement& statement : rule.statements) {
                std::visit(StatementWriter{message, family, rule.traffic}, statement);
            }
            mnl_attr_nest_end(message, list);
            finish(message);
        }
    }

    Writer writer_;
    std::string table_;
    std::size_t step_ = Batch::no_step;
    std::uint32_t last_set_id_ = 0;
    Batch batch_;
};

// A question, answered by one message and an acknowledgement, or, with NLM_F_DUMP, by many and an end.
template <typename PutAttributes>
Bytes ask(std::uint16_t type, std::uint8_t family, unsigned flags, std::uint32_t sequence,
          PutAttributes put_attributes) {
    Writer writer(sequence);
    nlmsghdr* message = writer.start(type, family, flags);
    put_attributes(message);
    writer.finish(message);
    return writer.take();
}

// ---------------------------------------------------------------------------------------------------------------------
// Reading

[[noreturn]] void malformed(const char* what) {
    throw CannotGoOn{std::string("the kernel sent ") + what + " that cannot be understood"};
}

// The attributes of one message or nest, each at its type; what is absent or unknown to this file is null.
class Attributes {
public:
    Attributes(const void* data, std::size_t size) {
        const auto* at = static_cast<const char*>(data);
        while (size >= sizeof(nlattr)) {
            const auto* attribute = reinterpret_cast<const nlattr*>(at);
            if (attribute->nla_len < sizeof(nlattr) || attribute->nla_len > size) {
                malformed("an attribute");
            }
            const std::size_t type = mnl_attr_get_type(attribute);
            if (type < by_type_.size()) {
                by_type_[type] = attribute;
            }
            const std::size_t step = std::min<std::size_t>(MNL_ALIGN(attribute->nla_len), size);
            at += step;
            size -= step;
        }
    }

    static Attributes of(Message message) {
        constexpr std::size_t header = MNL_NLMSG_HDRLEN + MNL_ALIGN(sizeof(nfgenmsg));
        if (message.size() < header) {
            malformed("a message");
        }
        return {message.data() + header, message.size() - header};
    }

    bool has(std::size_t type) const { return by_type_[type] != nullptr; }

    Message bytes(std::size_t type) const {
        if (!has(type)) {
            return {};
        }
        return {static_cast<const std::uint8_t*>(mnl_attr_get_payload(by_type_[type])),
                mnl_attr_get_payload_len(by_type_[type])};
    }

    Attributes nest(std::size_t type) const {
        const Message inside = bytes(type);
        return {inside.data(), inside.size()};
    }

    std::uint32_t number(std::size_t type, std::uint32_t absent = 0) const {
        return has(type) ? ntohl(load<std::uint32_t>(type)) : absent;
    }

    std::uint64_t long_number(std::size_t type) const {
        return has(type) ? be64toh(load<std::uint64_t>(type)) : 0;
    }

    std::string text(std::size_t type) const {
        const Message inside = bytes(type);
        return {inside.begin(), std::find(inside.begin(), inside.end(), std::uint8_t{0})};
    }

    template <typename Visit>
    void for_each(Visit visit) const {
        for (std::size_t type = 0; type < by_type_.size(); ++type) {
            if (by_type_[type]) {
                visit(type, bytes(type));
            }
        }
    }

private:
    template <typename T>
    T load(std::size_t type) const {
        const Message inside = bytes(type);
        T value{};
        if (inside.size() < sizeof value) {
            malformed("a number");
        }
        std::memcpy(&value, inside.data(), sizeof value);
        return value;
    }

    std::array<const nlattr*, 32> by_type_{};
};

// Calls `visit` with the inside of each item of a list.
template <typename Visit>
void for_each_item(Message list, Visit visit) {
    while (list.size() >= sizeof(nlattr)) {
        const auto* item = reinterpret_cast<const nlattr*>(list.data());
        if (item->nla_len < sizeof(nlattr) || item->nla_len > list.size()) {
            malformed("a list");
        }
        visit(Message(static_cast<const std::uint8_t*>(mnl_attr_get_payload(item)), mnl_attr_get_payload_len(item)));
        list = list.subspan(std::min<std::size_t>(MNL_ALIGN(item->nla_len), list.size()));
    }
}

// The text of one type in nft(8)'s user data, a sequence of {type, length, value}.
std::string text_in_user_data(Message data, std::uint8_t type) {
    while (data.size() >= 2) {
        const std::size_t length = data[1];
        if (length > data.size() - 2) {
            return {};
        }
        if (data[0] == type) {
            const Message value = data.subspan(2, length);
            return {value.begin(), std::find(value.begin(), value.end(), std::uint8_t{0})};
        }
        data = data.subspan(2 + length);
    }
    return {};
}

Traffic traffic_of(const Attributes& counter) {
    return {counter.long_number(NFTA_COUNTER_PACKETS), counter.long_number(NFTA_COUNTER_BYTES)};
}

std::optional<Address> address_in(const Attributes& data, Family family) {
    const Message value = data.bytes(NFTA_DATA_VALUE);
    Address address{family, {}};
    if (value.size() != address.size()) {
        return {};
    }
    std::copy(value.begin(), value.end(), address.bytes.begin());
    return address;
}

// One expression of a rule.
struct Expression {
    std::string name;
    Attributes data;
};

std::vector<Expression> expressions_in(Message list) {
    std::vector<Expression> found;
    for_each_item(list, [&](Message item) {
        const Attributes attributes(item.data(), item.size());
        found.push_back({attributes.text(NFTA_EXPR_NAME), attributes.nest(NFTA_EXPR_DATA)});
    });
    return found;
}

bool all_zero(Message bytes) {
    return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte == 0; });
}

// Not what an expression does, but what it has seen.
bool is_measurement(const std::string& expression, std::size_t attribute) {
    if (expression == NFT_SNAT_STATELESS_NAME) {
        return attribute == NFTA_SNAT_STATELESS_DROPPED || attribute == NFTA_SNAT_STATELESS_PAD;
    }
    return expression == "counter";
}

// Whether an attribute that we do not write leaves the expression what it is: the kernel also tells defaults, which
// are zero. But a register that is zero is the verdict's, and a lookup into that one is another lookup.
bool is_default(const std::string& expression, std::size_t attribute, Message value) {
    return all_zero(value) && !(expression == "lookup" && attribute == NFTA_LOOKUP_DREG);
}

// Whether the kernel's expression is the written one.
bool same(const Expression& dumped, const Expression& written) {
    bool equal = dumped.name == written.name;
    written.data.for_each([&](std::size_t attribute, Message value) {
        const Message other = dumped.data.bytes(attribute);
        equal = equal && (is_measurement(written.name, attribute) ||
                          std::equal(value.begin(), value.end(), other.begin(), other.end()));
    });
    dumped.data.for_each([&](std::size_t attribute, Message value) {
        equal = equal && (written.data.has(attribute) || is_measurement(written.name, attribute) ||
                          is_default(written.name, attribute, value));
    });
    return equal;
}

// How many of the expressions at the front are exactly what we write for `statement`; 0 if it is another one.
std::size_t length_as(const Statement& statement, std::span<const Expression> dumped, Family family) {
    std::vector<char> scratch(scratch_size);
    nlmsghdr* message = mnl_nlmsg_put_header(scratch.data());
    std::visit(StatementWriter{message, family, {}}, statement);
    const Message list(static_cast<const std::uint8_t*>(mnl_nlmsg_get_payload(message)),
                       mnl_nlmsg_get_payload_len(message));
    const std::vector<Expression> written = expressions_in(list);
    const bool equal = written.size() <= dumped.size() &&
                       std::equal(written.begin(), written.end(), dumped.begin(),
                                  [](const Expression& ours, const Expression& theirs) { return same(theirs, ours); });
    return equal ? written.size() : 0;
}

SnatStateless snat_stateless_in(const Attributes& data) {
    const std::uint32_t flags = data.number(NFTA_SNAT_STATELESS_FLAGS);
    return {.field = data.number(NFTA_SNAT_STATELESS_FIELD) == NFT_SNAT_STATELESS_SADDR ? Field::source
                                                                                       : Field::destination,
            .map = data.text(NFTA_SNAT_STATELESS_MAP),
            .notrack = (flags & NFT_SNAT_STATELESS_F_NOTRACK) != 0,
            .untrack = (flags & NFT_SNAT_STATELESS_F_UNTRACK) != 0,
            .untracked = (flags & NFT_SNAT_STATELESS_F_UNTRACKED) != 0,
            .tracked = (flags & NFT_SNAT_STATELESS_F_TRACKED) != 0};
}

// What the expressions at the front could be, most specific first; length_as() decides.
std::vector<Statement> candidates(std::span<const Expression> dumped) {
    const std::string& name = dumped.front().name;
    if (name == NFT_SNAT_STATELESS_NAME) {
        return {snat_stateless_in(dumped.front().data)};
    }
    if (name == "counter") {
        return {Counter{}};
    }
    if (name == "notrack") {
        return {Notrack{}};
    }
    if (name == "ct") {
        return {MatchUntracked{}};
    }
    if (name == "payload" && dumped.size() >= 2 && dumped[1].name == "lookup") {
        const std::string set = dumped[1].data.text(NFTA_LOOKUP_SET);
        std::vector<Statement> found;
        for (const Field field : {Field::source, Field::destination}) {
            found.insert(found.end(), {SetAddress{field, set}, MatchAddress{field, set, false},
                                       MatchAddress{field, set, true}});
        }
        return found;
    }
    if (name == "meta" && dumped.size() >= 4) {
        std::vector<Statement> found;
        const Message first = dumped[3].data.nest(NFTA_CMP_DATA).bytes(NFTA_DATA_VALUE);
        if (first.size() == 1 && dumped.size() >= 5) {
            const Message last = dumped[4].data.nest(NFTA_CMP_DATA).bytes(NFTA_DATA_VALUE);
            if (last.size() == 1) {
                found.push_back(MatchIcmpType{first[0], last[0]});
            }
        }
        if (first.size() == 1) {
            found.push_back(MatchIcmpType{first[0], first[0]});
        }
        return found;
    }
    return {};
}

// Takes one statement off the front.
Statement fold(std::span<const Expression>& dumped, Family family) {
    for (const Statement& statement : candidates(dumped)) {
        if (const std::size_t length = length_as(statement, dumped, family)) {
            dumped = dumped.subspan(length);
            return statement;
        }
    }
    Foreign foreign{dumped.front().name};
    dumped = dumped.subspan(1);
    return foreign;
}

// The prefix from `first` to `last`, if there is one.
std::optional<Prefix> prefix_between(const Address& first, const Address& last) {
    for (std::uint8_t length = 0; length <= first.size() * 8; ++length) {
        const auto prefix = Prefix::parse(first.text() + "/" + std::to_string(length));
        if (prefix && prefix->last() == last) {
            return prefix;
        }
    }
    return {};
}

Address last_address(Family family) {
    return Prefix{Address{family, {}}, 0}.last();
}

Address previous(Address address) {
    for (std::size_t i = address.size(); i-- > 0;) {
        if (address.bytes[i]-- != 0) {
            break;
        }
    }
    return address;
}

}  // namespace

// ---------------------------------------------------------------------------------------------------------------------

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

std::size_t Batch::step(std::uint32_t sequence) const {
    const std::uint32_t number = sequence - first_sequence;
    return number < steps.size() ? steps[number] : no_step;
}

Batch encode(const Plan& plan, std::uint32_t generation, std::uint32_t first_sequence) {
    Encoder encoder(table_name, first_sequence);
    encoder.begin(generation);
    encoder.encode(plan);
    encoder.confirm();
    encoder.end();
    return encoder.take();
}

Batch encode_probe(std::uint32_t first_sequence) {
    const std::string map = "probe";
    Chain chain;
    chain.name = "probe";
    chain.rules.emplace_back().statements = {SnatStateless{.field = Field::source, .map = map}};
    const Plan plan{AddTable{Family::ipv4}, AddMap{Family::ipv4, Map{.name = map, .capacity = 1, .elements = {}}},
                    AddChain{Family::ipv4, chain}};
    Encoder encoder(probe_table, first_sequence);
    encoder.begin({});
    encoder.encode(plan);
    encoder.confirm();
    return encoder.take();
}

Bytes ask_generation(std::uint32_t sequence) {
    return ask(NFT_MSG_GETGEN, NFPROTO_UNSPEC, NLM_F_ACK, sequence, [](nlmsghdr*) {});
}

Bytes ask_table(Family family, std::uint32_t sequence) {
    return ask(NFT_MSG_GETTABLE, protocol_family(family), NLM_F_ACK, sequence,
               [](nlmsghdr* message) { put_text(message, NFTA_TABLE_NAME, table_name); });
}

Bytes ask_sets(Family family, std::uint32_t sequence) {
    return ask(NFT_MSG_GETSET, protocol_family(family), NLM_F_DUMP, sequence,
               [](nlmsghdr* message) { put_text(message, NFTA_SET_TABLE, table_name); });
}

Bytes ask_elements(Family family, std::string_view set, std::uint32_t sequence) {
    return ask(NFT_MSG_GETSETELEM, protocol_family(family), NLM_F_DUMP, sequence, [&](nlmsghdr* message) {
        put_text(message, NFTA_SET_ELEM_LIST_TABLE, table_name);
        put_text(message, NFTA_SET_ELEM_LIST_SET, set);
    });
}

Bytes ask_chains(Family family, std::uint32_t sequence) {
    return ask(NFT_MSG_GETCHAIN, protocol_family(family), NLM_F_DUMP, sequence, [](nlmsghdr*) {});
}

Bytes ask_rules(Family family, std::uint32_t sequence) {
    return ask(NFT_MSG_GETRULE, protocol_family(family), NLM_F_DUMP, sequence,
               [](nlmsghdr* message) { put_text(message, NFTA_RULE_TABLE, table_name); });
}

std::uint32_t decode_generation(Message message) {
    const Attributes attributes = Attributes::of(message);
    if (!attributes.has(NFTA_GEN_ID)) {
        malformed("a generation");
    }
    return attributes.number(NFTA_GEN_ID);
}

TableDecoder::TableDecoder(Family family) {
    table_.family = family;
}

void TableDecoder::table(Message message) {
    table_.dormant = (Attributes::of(message).number(NFTA_TABLE_FLAGS) & NFT_TABLE_F_DORMANT) != 0;
}

void TableDecoder::set(Message message) {
    const Attributes attributes = Attributes::of(message);
    const std::uint32_t flags = attributes.number(NFTA_SET_FLAGS);
    // An anonymous set is part of the rule that uses it, and goes with it.
    if (attributes.text(NFTA_SET_TABLE) != table_name || (flags & NFT_SET_ANONYMOUS)) {
        return;
    }
    const bool has_timeout = attributes.has(NFTA_SET_TIMEOUT);
    const bool foreign_key = attributes.number(NFTA_SET_KEY_TYPE) != address_type(table_.family) ||
                             attributes.number(NFTA_SET_KEY_LEN) != address_size(table_.family);
    const bool foreign_data = attributes.number(NFTA_SET_DATA_TYPE) != address_type(table_.family) ||
                              attributes.number(NFTA_SET_DATA_LEN) != address_size(table_.family);
    const bool has_expression = attributes.has(NFTA_SET_EXPR) || attributes.has(NFTA_SET_EXPRESSIONS);

    if ((flags & NFT_SET_INTERVAL) && !(flags & NFT_SET_MAP)) {
        PrefixSet prefixes;
        prefixes.name = attributes.text(NFTA_SET_NAME);
        prefixes.foreign = flags != NFT_SET_INTERVAL || foreign_key || has_timeout || has_expression;
        intervals_.push_back({std::move(prefixes), {}});
        return;
    }
    Map map;
    map.name = attributes.text(NFTA_SET_NAME);
    map.values = (flags & NFT_SET_MAP) != 0;
    map.counters = attributes.nest(NFTA_SET_EXPR).text(NFTA_EXPR_NAME) == "counter";
    map.capacity = attributes.nest(NFTA_SET_DESC).number(NFTA_SET_DESC_SIZE);
    constexpr std::uint32_t our_flags = NFT_SET_MAP | NFT_SET_EXPR;
    map.foreign = (flags & ~our_flags) != 0 || foreign_key || (map.values && foreign_data) ||
                  has_timeout || (has_expression && !map.counters);
    table_.maps.push_back(std::move(map));
}

std::vector<std::string> TableDecoder::sets_to_read() const {
    std::vector<std::string> names;
    for (const Map& map : table_.maps) {
        if (!map.foreign) {
            names.push_back(map.name);
        }
    }
    for (const Intervals& intervals : intervals_) {
        if (!intervals.set.foreign) {
            names.push_back(intervals.set.name);
        }
    }
    return names;
}

void TableDecoder::elements(Message message) {
    const Attributes attributes = Attributes::of(message);
    if (attributes.text(NFTA_SET_ELEM_LIST_TABLE) != table_name) {
        return;
    }
    const std::string name = attributes.text(NFTA_SET_ELEM_LIST_SET);
    const Message list = attributes.bytes(NFTA_SET_ELEM_LIST_ELEMENTS);
    for (Map& map : table_.maps) {
        if (map.name == name) {
            for_each_item(list, [&](Message item) { element(map, item.data(), item.size()); });
        }
    }
    for (Intervals& intervals : intervals_) {
        if (intervals.set.name == name) {
            for_each_item(list, [&](Message item) { boundary(intervals, item.data(), item.size()); });
        }
    }
}

void TableDecoder::element(Map& map, const void* data, std::size_t size) {
    const Attributes attributes(data, size);
    const auto key = address_in(attributes.nest(NFTA_SET_ELEM_KEY), table_.family);
    const auto value = map.values ? address_in(attributes.nest(NFTA_SET_ELEM_DATA), table_.family) : key;
    const Attributes expression = attributes.nest(NFTA_SET_ELEM_EXPR);
    const bool has_counter = expression.text(NFTA_EXPR_NAME) == "counter";
    // A catch-all element ("*") has flags and no key.
    if (!key || !value || attributes.number(NFTA_SET_ELEM_FLAGS) != 0 || has_counter != map.counters ||
        attributes.has(NFTA_SET_ELEM_EXPRESSIONS)) {
        map.foreign = true;
        return;
    }
    Element element;
    element.key = *key;
    element.value = *value;
    element.comment = text_in_user_data(attributes.bytes(NFTA_SET_ELEM_USERDATA), NFTNL_UDATA_SET_ELEM_COMMENT);
    if (has_counter) {
        element.traffic = traffic_of(expression.nest(NFTA_EXPR_DATA));
    }
    map.elements.push_back(std::move(element));
}

void TableDecoder::boundary(Intervals& intervals, const void* data, std::size_t size) const {
    const Attributes attributes(data, size);
    const auto key = address_in(attributes.nest(NFTA_SET_ELEM_KEY), table_.family);
    const std::uint32_t flags = attributes.number(NFTA_SET_ELEM_FLAGS);
    const bool end = flags == NFT_SET_ELEM_INTERVAL_END;
    if (!key || (flags != 0 && !end)) {
        intervals.set.foreign = true;
        return;
    }
    intervals.boundaries.push_back({*key, end});
}

void TableDecoder::chain(Message message) {
    const Attributes attributes = Attributes::of(message);
    // The chain of a "jump { ... }" is part of the rule that jumps there.
    if (attributes.text(NFTA_CHAIN_TABLE) != table_name ||
        (attributes.number(NFTA_CHAIN_FLAGS) & NFT_CHAIN_BINDING) != 0) {
        return;
    }
    Chain chain;
    chain.name = attributes.text(NFTA_CHAIN_NAME);
    chain.comment = text_in_user_data(attributes.bytes(NFTA_CHAIN_USERDATA), NFTNL_UDATA_CHAIN_COMMENT);
    if (attributes.has(NFTA_CHAIN_HOOK)) {
        const Attributes hook = attributes.nest(NFTA_CHAIN_HOOK);
        const std::string type = attributes.text(NFTA_CHAIN_TYPE);
        chain.hook = hook_of(hook.number(NFTA_HOOK_HOOKNUM));
        chain.priority = static_cast<std::int32_t>(hook.number(NFTA_HOOK_PRIORITY));
        const bool accepts = attributes.number(NFTA_CHAIN_POLICY, NF_ACCEPT) == NF_ACCEPT;
        // A policy that we would never write makes the chain as unlike ours as another type does.
        if (accepts && type == "filter") {
            chain.type = ChainType::filter;
        } else if (accepts && type == "route") {
            chain.type = ChainType::route;
        } else {
            chain.type = ChainType::other;
        }
    }
    table_.chains.push_back(std::move(chain));
}

void TableDecoder::rule(Message message) {
    const Attributes attributes = Attributes::of(message);
    if (attributes.text(NFTA_RULE_TABLE) != table_name) {
        return;
    }
    const std::vector<Expression> expressions = expressions_in(attributes.bytes(NFTA_RULE_EXPRESSIONS));
    Rule rule;
    for (std::span<const Expression> rest = expressions; !rest.empty();) {
        rule.statements.push_back(fold(rest, table_.family));
    }
    for (const Expression& expression : expressions) {
        if (expression.name == "counter") {
            const Traffic traffic = traffic_of(expression.data);
            rule.traffic.packets += traffic.packets;
            rule.traffic.bytes += traffic.bytes;
        } else if (expression.name == NFT_SNAT_STATELESS_NAME) {
            rule.dropped += expression.data.long_number(NFTA_SNAT_STATELESS_DROPPED);
        }
    }
    const std::string name = attributes.text(NFTA_RULE_CHAIN);
    for (Chain& chain : table_.chains) {
        if (chain.name == name) {
            chain.rules.push_back(rule);
        }
    }
}

Table TableDecoder::finish() {
    for (Map& map : table_.maps) {
        std::sort(map.elements.begin(), map.elements.end(),
                  [](const Element& a, const Element& b) { return a.key < b.key; });
    }
    for (Intervals& intervals : intervals_) {
        // Where one interval ends another may start: the end comes first.
        std::sort(intervals.boundaries.begin(), intervals.boundaries.end(), [](const Boundary& a, const Boundary& b) {
            return a.address != b.address ? a.address < b.address : a.end && !b.end;
        });
        std::optional<Address> first;
        const auto close = [&](const Address& last) {
            const auto prefix = prefix_between(*first, last);
            intervals.set.foreign = intervals.set.foreign || !prefix;
            if (prefix) {
                intervals.set.prefixes.push_back(*prefix);
            }
            first.reset();
        };
        for (const Boundary& boundary : intervals.boundaries) {
            if (!boundary.end) {
                intervals.set.foreign = intervals.set.foreign || first;
                first = boundary.address;
            } else if (first) {
                close(previous(boundary.address));
            }
        }
        if (first) {
            close(last_address(table_.family));
        }
        table_.prefix_sets.push_back(std::move(intervals.set));
    }
    intervals_.clear();
    return std::move(table_);
}

}  // namespace statnat
