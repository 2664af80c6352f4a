// SPDX-License-Identifier: GPL-2.0-or-later
#include "wire/wire.hpp"

#include "error.hpp"

#include <initializer_list>
#include <utility>

#include <linux/if_ether.h>
#include <linux/netfilter.h>

namespace statnat {

namespace {

// The numbers nft(8) gives to its data types; it reads them back to print a set.
constexpr std::uint32_t nft_type_ipv4_addr = 7;
constexpr std::uint32_t nft_type_ipv6_addr = 8;

constexpr Address nothing{};

}  // namespace

std::uint32_t address_type(Family family) {
    return family == Family::ipv4 ? nft_type_ipv4_addr : nft_type_ipv6_addr;
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

std::uint16_t ether_type_of(Family family) {
    return htons(family == Family::ipv4 ? ETH_P_IP : ETH_P_IPV6);
}

std::uint8_t protocol_family(Family family) {
    return family == Family::ipv4 ? NFPROTO_IPV4 : NFPROTO_IPV6;
}

UserDataHandle user_data() {
    return owned<UserDataHandle>(nftnl_udata_buf_alloc(NFT_USERDATA_MAXLEN));
}

void put_user_data(nlmsghdr* message, std::uint16_t type, const UserDataHandle& data) {
    mnl_attr_put(message, type, nftnl_udata_buf_len(data.get()), nftnl_udata_buf_data(data.get()));
}

void malformed(const char* what) {
    throw CannotGoOn{std::string("the kernel sent ") + what + " that cannot be understood"};
}

std::string place_in(Message message, const std::string& table, const std::string& name) {
    const std::uint8_t number = message[MNL_NLMSG_HDRLEN];  // nfgen_family
    const std::string family = number == NFPROTO_INET ? "inet" : number == NFPROTO_IPV4 ? "ip" : "ip6";
    return family + " " + table + " " + name;
}

std::string place_of_flowtable(Message message) {
    const Attributes attributes = Attributes::of(message);
    return place_in(message, attributes.text(NFTA_FLOWTABLE_TABLE), attributes.text(NFTA_FLOWTABLE_NAME));
}

ExpressionHandle expression(const char* name) {
    return owned<ExpressionHandle>(nftnl_expr_alloc(name));
}

void put(nlmsghdr* message, const ExpressionHandle& expression) {
    nlattr* item = mnl_attr_nest_start(message, NFTA_LIST_ELEM);
    nftnl_expr_build_payload(message, expression.get());
    mnl_attr_nest_end(message, item);
}

void put(nlmsghdr* message, const char* name,
         std::initializer_list<std::pair<std::uint16_t, std::uint32_t>> attributes) {
    const auto numbers = expression(name);
    for (const auto& [attribute, number] : attributes) {
        nftnl_expr_set_u32(numbers.get(), attribute, number);
    }
    put(message, numbers);
}

void put_payload_load(nlmsghdr* message, std::uint32_t base, std::uint32_t offset, std::uint32_t length) {
    put(message, "payload", {{NFTNL_EXPR_PAYLOAD_BASE, base}, {NFTNL_EXPR_PAYLOAD_OFFSET, offset},
                             {NFTNL_EXPR_PAYLOAD_LEN, length}, {NFTNL_EXPR_PAYLOAD_DREG, NFT_REG_1}});
}

void put_compare(nlmsghdr* message, std::uint32_t comparison, const void* data, std::uint32_t size) {
    const auto compare = expression("cmp");
    nftnl_expr_set_u32(compare.get(), NFTNL_EXPR_CMP_SREG, NFT_REG_1);
    nftnl_expr_set_u32(compare.get(), NFTNL_EXPR_CMP_OP, comparison);
    nftnl_expr_set(compare.get(), NFTNL_EXPR_CMP_DATA, data, size);
    put(message, compare);
}

void put_range(nlmsghdr* message, std::uint8_t first, std::uint8_t last) {
    const auto range = expression("range");
    nftnl_expr_set_u32(range.get(), NFTNL_EXPR_RANGE_SREG, NFT_REG_1);
    nftnl_expr_set_u32(range.get(), NFTNL_EXPR_RANGE_OP, NFT_RANGE_EQ);
    nftnl_expr_set(range.get(), NFTNL_EXPR_RANGE_FROM_DATA, &first, sizeof first);
    nftnl_expr_set(range.get(), NFTNL_EXPR_RANGE_TO_DATA, &last, sizeof last);
    put(message, range);
}

void put_meta_load(nlmsghdr* message, std::uint32_t key) {
    put(message, "meta", {{NFTNL_EXPR_META_KEY, key}, {NFTNL_EXPR_META_DREG, NFT_REG_1}});
}

void put_fib(nlmsghdr* message, std::uint32_t result, std::uint32_t flags) {
    put(message, "fib", {{NFTNL_EXPR_FIB_RESULT, result}, {NFTNL_EXPR_FIB_FLAGS, flags},
                         {NFTNL_EXPR_FIB_DREG, NFT_REG_1}});
}

void put_mask(nlmsghdr* message, const void* mask, std::uint32_t size, const void* flipped) {
    const auto bitwise = expression("bitwise");
    nftnl_expr_set_u32(bitwise.get(), NFTNL_EXPR_BITWISE_SREG, NFT_REG_1);
    nftnl_expr_set_u32(bitwise.get(), NFTNL_EXPR_BITWISE_DREG, NFT_REG_1);
    nftnl_expr_set_u32(bitwise.get(), NFTNL_EXPR_BITWISE_OP, NFT_BITWISE_BOOL);
    nftnl_expr_set_u32(bitwise.get(), NFTNL_EXPR_BITWISE_LEN, size);
    nftnl_expr_set(bitwise.get(), NFTNL_EXPR_BITWISE_MASK, mask, size);
    nftnl_expr_set(bitwise.get(), NFTNL_EXPR_BITWISE_XOR, flipped ? flipped : nothing.bytes.data(), size);
    put(message, bitwise);
}

void put_verdict(nlmsghdr* message, std::uint32_t code) {
    const auto verdict = expression("immediate");
    nftnl_expr_set_u32(verdict.get(), NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
    nftnl_expr_set_u32(verdict.get(), NFTNL_EXPR_IMM_VERDICT, code);
    put(message, verdict);
}

void put_verdict_lookup(nlmsghdr* message, const std::string& map) {
    const auto lookup = expression("lookup");
    nftnl_expr_set_u32(lookup.get(), NFTNL_EXPR_LOOKUP_SREG, NFT_REG_1);
    nftnl_expr_set_str(lookup.get(), NFTNL_EXPR_LOOKUP_SET, map.c_str());
    nftnl_expr_set_u32(lookup.get(), NFTNL_EXPR_LOOKUP_DREG, NFT_REG_VERDICT);
    put(message, lookup);
}

void put_lookup(nlmsghdr* message, const std::string& set, bool inverted) {
    const auto lookup = expression("lookup");
    nftnl_expr_set_u32(lookup.get(), NFTNL_EXPR_LOOKUP_SREG, NFT_REG_1);
    nftnl_expr_set_str(lookup.get(), NFTNL_EXPR_LOOKUP_SET, set.c_str());
    if (inverted) {
        nftnl_expr_set_u32(lookup.get(), NFTNL_EXPR_LOOKUP_FLAGS, NFT_LOOKUP_F_INV);
    }
    put(message, lookup);
}

}  // namespace statnat
