// SPDX-License-Identifier: GPL-2.0-or-later
// How each statement is written, and what may differ in a dump that still is the same.
#include "wire/statement_writer.hpp"

#include "error.hpp"
#include "wire/wire.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <span>
#include <string>
#include <vector>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nft_snat_stateless.h>
#include <netinet/in.h>

namespace statnat {

namespace {

struct Flag {
    bool SnatStateless::*member;
    std::uint32_t bit;
};

constexpr std::array<Flag, 4> flags{{{&SnatStateless::notrack, NFT_SNAT_STATELESS_F_NOTRACK},
                                     {&SnatStateless::untrack, NFT_SNAT_STATELESS_F_UNTRACK},
                                     {&SnatStateless::untracked, NFT_SNAT_STATELESS_F_UNTRACKED},
                                     {&SnatStateless::tracked, NFT_SNAT_STATELESS_F_TRACKED}}};

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

ExpressionHandle expression(const char* name) {
    return owned<ExpressionHandle>(nftnl_expr_alloc(name));
}

void put(nlmsghdr* message, const ExpressionHandle& expression) {
    nlattr* item = mnl_attr_nest_start(message, NFTA_LIST_ELEM);
    nftnl_expr_build_payload(message, expression.get());
    mnl_attr_nest_end(message, item);
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

// [ meta load KEY => reg 1 ]
void put_meta_load(nlmsghdr* message, std::uint32_t key) {
    const auto load = expression("meta");
    nftnl_expr_set_u32(load.get(), NFTNL_EXPR_META_KEY, key);
    nftnl_expr_set_u32(load.get(), NFTNL_EXPR_META_DREG, NFT_REG_1);
    put(message, load);
}

// [ bitwise reg 1 = ( reg 1 & MASK ) ^ 0 ]
void put_mask(nlmsghdr* message, const void* mask, std::uint32_t size) {
    const Address zero{};
    const auto bitwise = expression("bitwise");
    nftnl_expr_set_u32(bitwise.get(), NFTNL_EXPR_BITWISE_SREG, NFT_REG_1);
    nftnl_expr_set_u32(bitwise.get(), NFTNL_EXPR_BITWISE_DREG, NFT_REG_1);
    nftnl_expr_set_u32(bitwise.get(), NFTNL_EXPR_BITWISE_OP, NFT_BITWISE_BOOL);
    nftnl_expr_set_u32(bitwise.get(), NFTNL_EXPR_BITWISE_LEN, size);
    nftnl_expr_set(bitwise.get(), NFTNL_EXPR_BITWISE_MASK, mask, size);
    nftnl_expr_set(bitwise.get(), NFTNL_EXPR_BITWISE_XOR, zero.bytes.data(), size);
    put(message, bitwise);
}

// [ lookup reg 1 set SET ], with `inverted` 0x1 behind it
void put_lookup(nlmsghdr* message, const std::string& set, bool inverted = false) {
    const auto lookup = expression("lookup");
    nftnl_expr_set_u32(lookup.get(), NFTNL_EXPR_LOOKUP_SREG, NFT_REG_1);
    nftnl_expr_set_str(lookup.get(), NFTNL_EXPR_LOOKUP_SET, set.c_str());
    if (inverted) {
        nftnl_expr_set_u32(lookup.get(), NFTNL_EXPR_LOOKUP_FLAGS, NFT_LOOKUP_F_INV);
    }
    put(message, lookup);
}

// The order of a dump, so that same() can compare whole lists.
void put(nlmsghdr* message, const MapReference& map) {
    nlattr* item = mnl_attr_nest_start(message, NFTA_LIST_ELEM);
    put_text(message, NFTA_SNAT_STATELESS_MAP_NAME, map.name);
    if (map.prefix) {
        put_number(message, NFTA_SNAT_STATELESS_MAP_PREFIX, *map.prefix);
    }
    put_number(message, NFTA_SNAT_STATELESS_MAP_FLAGS, map.npt ? NFT_SNAT_STATELESS_MAP_F_NPT : 0);
    if (map.within) {
        const Address& address = map.within->address;
        mnl_attr_put(message, NFTA_SNAT_STATELESS_MAP_WITHIN, address.size(), address.bytes.data());
        put_number(message, NFTA_SNAT_STATELESS_MAP_WITHIN_LENGTH, map.within->length);
    }
    mnl_attr_nest_end(message, item);
}

void put(nlmsghdr* message, std::uint16_t type, const std::vector<MapReference>& maps) {
    nlattr* list = mnl_attr_nest_start(message, type);
    for (const MapReference& map : maps) {
        put(message, map);
    }
    mnl_attr_nest_end(message, list);
}

// Nothing where it is no prefix of either family.
std::optional<Prefix> within_in(const Attributes& map) {
    const Message bytes = map.bytes(NFTA_SNAT_STATELESS_MAP_WITHIN);
    for (const Family family : families) {
        const std::uint32_t length = map.number(NFTA_SNAT_STATELESS_MAP_WITHIN_LENGTH);
        Address address{family, {}};
        if (bytes.size() == address.size() && length <= full_length(family)) {
            std::copy(bytes.begin(), bytes.end(), address.bytes.begin());
            return Prefix::of(address, static_cast<std::uint8_t>(length));
        }
    }
    return {};
}

std::vector<MapReference> map_references_in(Message list) {
    std::vector<MapReference> maps;
    for_each_item(list, [&](Message item) {
        const Attributes map(item.data(), item.size());
        MapReference reference{.name = map.text(NFTA_SNAT_STATELESS_MAP_NAME)};
        if (map.has(NFTA_SNAT_STATELESS_MAP_PREFIX)) {
            reference.prefix = static_cast<std::uint8_t>(map.number(NFTA_SNAT_STATELESS_MAP_PREFIX));
        }
        reference.npt = (map.number(NFTA_SNAT_STATELESS_MAP_FLAGS) & NFT_SNAT_STATELESS_MAP_F_NPT) != 0;
        reference.within = within_in(map);
        maps.push_back(std::move(reference));
    });
    return maps;
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

    // [ payload load 4b @ network header + 16 => reg 1 ]
    // [ bitwise reg 1 = ( reg 1 & 0x0000ffff ) ^ 0x00000000 ]
    // [ cmp neq reg 1 0x0000fea9 ]
    void operator()(const MatchOutside& statement) const {
        const Prefix& prefix = statement.prefix;
        put_address_load(message, family, statement.field);
        put_mask(message, mask_of(prefix).bytes.data(), address_size(family));
        put_compare(message, NFT_CMP_NEQ, prefix.address.bytes.data(), address_size(family));
    }

    // [ fib daddr type => reg 1 ]
    // [ cmp eq reg 1 0x00000001 ]
    void operator()(const MatchAddressType& statement) const {
        const auto lookup = expression("fib");
        nftnl_expr_set_u32(lookup.get(), NFTNL_EXPR_FIB_RESULT, NFT_FIB_RESULT_ADDRTYPE);
        nftnl_expr_set_u32(lookup.get(), NFTNL_EXPR_FIB_FLAGS,
                           statement.field == Field::source ? NFTA_FIB_F_SADDR : NFTA_FIB_F_DADDR);
        nftnl_expr_set_u32(lookup.get(), NFTNL_EXPR_FIB_DREG, NFT_REG_1);
        put(message, lookup);
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

    // [ payload load 4b @ transport header + 24 => reg 1 ]
    // [ lookup reg 1 set internal ]
    void operator()(const MatchRedirected& statement) const {
        // Behind 8 bytes of ICMP at 16 of the quoted IPv4 header; behind 8 of ICMPv6 and the target (RFC 4861, 4.5).
        put_payload_load(message, NFT_PAYLOAD_TRANSPORT_HEADER, 24, address_size(family));
        put_lookup(message, statement.set);
    }

    // [ meta load l4proto => reg 1 ]
    // [ cmp eq reg 1 0x00000001 ]
    // [ payload load 1b @ transport header + 0 => reg 1 ]
    // [ cmp gte reg 1 0x00000003 ]
    // [ cmp lte reg 1 0x00000005 ]
    void operator()(const MatchIcmpType& statement) const {
        put_meta_load(message, NFT_META_L4PROTO);
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
        put_mask(message, &untracked, sizeof untracked);
        put_compare(message, NFT_CMP_NEQ, &zero, sizeof zero);
    }

    // [ immediate reg 0 drop ]
    void operator()(const Drop&) const {
        const auto verdict = expression("immediate");
        nftnl_expr_set_u32(verdict.get(), NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
        nftnl_expr_set_u32(verdict.get(), NFTNL_EXPR_IMM_VERDICT, NF_DROP);
        put(message, verdict);
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

// Of an immediate: a verdict is nested twice, and only libmnl flags what is nested, so that bytes do not compare.
std::uint32_t verdict_in(const Attributes& data) {
    return data.nest(NFTA_IMMEDIATE_DATA).nest(NFTA_DATA_VERDICT).number(NFTA_VERDICT_CODE);
}

// Whether the kernel's expression is the written one.
bool same(const Expression& dumped, const Expression& written) {
    if (dumped.name == "immediate" && written.name == "immediate") {
        return verdict_in(dumped.data) == verdict_in(written.data);
    }
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

// What the expression at `position` compares a register with, if that is one byte.
std::optional<std::uint8_t> compared_byte(std::span<const Expression> dumped, std::size_t position) {
    if (position >= dumped.size() || dumped[position].name != "cmp") {
        return {};
    }
    const Message value = dumped[position].data.nest(NFTA_CMP_DATA).bytes(NFTA_DATA_VALUE);
    return value.size() == 1 ? std::optional(value[0]) : std::nullopt;
}

// What a comparison under a mask leaves out, which may be of either address.
std::vector<Statement> outside_in(std::span<const Expression> dumped, Family family) {
    const Message mask = dumped[1].data.nest(NFTA_BITWISE_MASK).bytes(NFTA_DATA_VALUE);
    const Message value = dumped[2].data.nest(NFTA_CMP_DATA).bytes(NFTA_DATA_VALUE);
    Address address{family, {}};
    if (mask.size() != address.size() || value.size() != address.size()) {
        return {};
    }
    std::copy(value.begin(), value.end(), address.bytes.begin());
    int length = 0;
    for (const std::uint8_t byte : mask) {
        length += std::popcount(byte);
    }
    const Prefix prefix{address, static_cast<std::uint8_t>(length)};
    return {MatchOutside{Field::source, prefix}, MatchOutside{Field::destination, prefix}};
}

// What the expressions at the front could be, most specific first; length_as() decides.
std::vector<Statement> candidates(std::span<const Expression> dumped, Family family) {
    const std::string& name = dumped.front().name;
    if (name == NFT_SNAT_STATELESS_NAME) {
        const auto statement = snat_stateless_in(dumped.front().data);
        return statement ? std::vector<Statement>{*statement} : std::vector<Statement>{};
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
    if (name == "immediate") {
        return {Drop{}};
    }
    if (name == "fib") {
        std::vector<Statement> found;
        for (const Field field : {Field::source, Field::destination}) {
            found.insert(found.end(), {MatchAddressType{field, MatchAddressType::Type::unicast},
                                       MatchAddressType{field, MatchAddressType::Type::local}});
        }
        return found;
    }
    if (name == "payload" && dumped.size() >= 3 && dumped[1].name == "bitwise") {
        return outside_in(dumped, family);
    }
    if (name == "payload" && dumped.size() >= 2 && dumped[1].name == "lookup") {
        const std::string set = dumped[1].data.text(NFTA_LOOKUP_SET);
        std::vector<Statement> found{MatchRedirected{set}};
        for (const Field field : {Field::source, Field::destination}) {
            found.insert(found.end(), {SetAddress{field, set}, MatchAddress{field, set, false},
                                       MatchAddress{field, set, true}});
        }
        return found;
    }
    if (name == "meta") {
        std::vector<Statement> found{MatchForwarded{true}, MatchForwarded{false}};
        const std::optional<std::uint8_t> first = compared_byte(dumped, 3);
        const std::optional<std::uint8_t> last = compared_byte(dumped, 4);
        if (first && last) {
            found.push_back(MatchIcmpType{*first, *last});
        }
        if (first) {
            found.push_back(MatchIcmpType{*first, *first});
        }
        return found;
    }
    return {};
}

// Takes one statement off the front.
Statement fold(std::span<const Expression>& dumped, Family family) {
    for (const Statement& statement : candidates(dumped, family)) {
        if (const std::size_t length = length_as(statement, dumped, family)) {
            dumped = dumped.subspan(length);
            return statement;
        }
    }
    Foreign foreign{dumped.front().name};
    dumped = dumped.subspan(1);
    return foreign;
}

}  // namespace

void put(nlmsghdr* message, const Rule& rule, Family family) {
    for (const Statement& statement : rule.statements) {
        std::visit(StatementWriter{message, family, rule.traffic}, statement);
    }
}

Rule rule_in(Message list, Family family) {
    const std::vector<Expression> expressions = expressions_in(list);
    Rule rule;
    for (std::span<const Expression> rest = expressions; !rest.empty();) {
        rule.statements.push_back(fold(rest, family));
    }
    for (const Expression& expression : expressions) {
        if (expression.name == "counter") {
            const Traffic traffic = traffic_in(expression.data);
            rule.traffic.packets += traffic.packets;
            rule.traffic.bytes += traffic.bytes;
        } else if (expression.name == NFT_SNAT_STATELESS_NAME) {
            rule.dropped += expression.data.long_number(NFTA_SNAT_STATELESS_DROPPED);
        }
    }
    return rule;
}

void put(nlmsghdr* message, const SnatStateless& statement) {
    put_number(message, NFTA_SNAT_STATELESS_FIELD,
               statement.field == Field::source ? NFT_SNAT_STATELESS_SADDR : NFT_SNAT_STATELESS_DADDR);
    put(message, NFTA_SNAT_STATELESS_MAPS, statement.maps);
    std::uint32_t bits = 0;
    for (const Flag& flag : flags) {
        if (statement.*flag.member) {
            bits |= flag.bit;
        }
    }
    put_number(message, NFTA_SNAT_STATELESS_FLAGS, bits);
    if (!statement.else_maps.empty()) {
        put(message, NFTA_SNAT_STATELESS_ELSE_MAPS, statement.else_maps);
    }
}

std::optional<SnatStateless> snat_stateless_in(const Attributes& data) {
    const std::uint32_t field = data.number(NFTA_SNAT_STATELESS_FIELD);
    const bool source = field == NFT_SNAT_STATELESS_SADDR;
    if (!data.has(NFTA_SNAT_STATELESS_FIELD) || !data.has(NFTA_SNAT_STATELESS_MAPS) ||
        (!source && field != NFT_SNAT_STATELESS_DADDR)) {
        return {};
    }
    SnatStateless statement{.field = source ? Field::source : Field::destination,
                            .maps = map_references_in(data.bytes(NFTA_SNAT_STATELESS_MAPS)),
                            .else_maps = map_references_in(data.bytes(NFTA_SNAT_STATELESS_ELSE_MAPS))};
    std::uint32_t bits = data.number(NFTA_SNAT_STATELESS_FLAGS);
    for (const Flag& flag : flags) {
        statement.*flag.member = (bits & flag.bit) != 0;
        bits &= ~flag.bit;
    }
    if (bits != 0) {
        return {};
    }
    return statement;
}

}  // namespace statnat
