// SPDX-License-Identifier: GPL-2.0-or-later
#include "wire/wire.hpp"

#include "error.hpp"

#include <linux/if_ether.h>
#include <linux/netfilter.h>

namespace statnat {

namespace {

// The numbers nft(8) gives to its data types; it reads them back to print a set.
constexpr std::uint32_t nft_type_ipv4_addr = 7;
constexpr std::uint32_t nft_type_ipv6_addr = 8;

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

}  // namespace statnat
