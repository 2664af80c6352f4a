// SPDX-License-Identifier: GPL-2.0-or-later
// What every writer and reader of nf_tables messages needs: handles, attributes and the kernel's numbers.
// A table has a million elements: what each of them goes through is inline.
//
// Where libnftnl ends: it writes what is added to a table once, the table itself, sets, chains and stock expressions,
// since it knows all their attributes. Past it, on libmnl alone, goes what it cannot do or makes dear. Our expression,
// because its list of expressions is closed. Elements, because it would keep an object for each of a million.
// Deletions, which are two names. And all decoding: it drops the attributes that it does not know, and what others have
// put into our table must be seen to be called foreign.
#pragma once

#include "ruleset/ruleset.hpp"
#include "wire/message.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <arpa/inet.h>
#include <endian.h>
#include <libmnl/libmnl.h>
#include <libnftnl/chain.h>
#include <libnftnl/expr.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <libnftnl/udata.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

namespace statnat {

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

std::uint32_t address_type(Family family);
inline constexpr std::uint32_t ether_type = 10;  // as nft(8) numbers types
std::uint16_t ether_type_of(Family family);  // in network byte order
std::uint32_t hook_number(Hook hook);
std::optional<Hook> hook_of(std::uint32_t number);
std::uint8_t protocol_family(Family family);

inline std::uint32_t address_size(Family family) {
    return family == Family::ipv4 ? 4 : 16;
}

inline void put_text(nlmsghdr* message, std::uint16_t type, std::string_view text) {
    mnl_attr_put_strz(message, type, std::string(text).c_str());
}

inline void put_number(nlmsghdr* message, std::uint16_t type, std::uint32_t number) {
    mnl_attr_put_u32(message, type, htonl(number));
}

inline void put_address(nlmsghdr* message, std::uint16_t type, const Address& address) {
    nlattr* nest = mnl_attr_nest_start(message, type);
    mnl_attr_put(message, NFTA_DATA_VALUE, address.size(), address.bytes.data());
    mnl_attr_nest_end(message, nest);
}

// What nft(8) keeps beside things, to be filled.
UserDataHandle user_data();
void put_user_data(nlmsghdr* message, std::uint16_t type, const UserDataHandle& data);

// What a counter has seen, in its NFTA_EXPR_DATA.
inline void put_traffic(nlmsghdr* message, const Traffic& traffic) {
    mnl_attr_put_u64(message, NFTA_COUNTER_BYTES, htobe64(traffic.bytes));
    mnl_attr_put_u64(message, NFTA_COUNTER_PACKETS, htobe64(traffic.packets));
}

// Throws CannotGoOn.
[[noreturn]] void malformed(const char* what);

// The attributes of one message or nest, each at its type; what is absent or beyond all that we know is null.
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

    std::array<const nlattr*, 33> by_type_{};
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

inline Traffic traffic_in(const Attributes& counter) {
    return {counter.long_number(NFTA_COUNTER_PACKETS), counter.long_number(NFTA_COUNTER_BYTES)};
}

inline std::optional<Address> address_in(const Attributes& data, Family family) {
    const Message value = data.bytes(NFTA_DATA_VALUE);
    Address address{family, {}};
    if (value.size() != address.size()) {
        return {};
    }
    std::copy(value.begin(), value.end(), address.bytes.begin());
    return address;
}

// Where something of a table is that a message is about: "inet firewall forward".
std::string place_in(Message message, const std::string& table, const std::string& name);
std::string place_of_flowtable(Message message);

// Expressions of rules, as libnftnl writes them into the list that is open in a message; all by way of register 1.
ExpressionHandle expression(const char* name);
void put(nlmsghdr* message, const ExpressionHandle& expression);
// One of numbers alone.
void put(nlmsghdr* message, const char* name,
         std::initializer_list<std::pair<std::uint16_t, std::uint32_t>> attributes);
// [ payload load LENGTHb @ BASE header + OFFSET => reg 1 ]
void put_payload_load(nlmsghdr* message, std::uint32_t base, std::uint32_t offset, std::uint32_t length);
// [ cmp OPERATOR reg 1 DATA ]
void put_compare(nlmsghdr* message, std::uint32_t comparison, const void* data, std::uint32_t size);
// [ range eq reg 1 FIRST LAST ]
void put_range(nlmsghdr* message, std::uint8_t first, std::uint8_t last);
// [ meta load KEY => reg 1 ]
void put_meta_load(nlmsghdr* message, std::uint32_t key);
// [ fib FLAGS RESULT => reg 1 ]
void put_fib(nlmsghdr* message, std::uint32_t result, std::uint32_t flags);
// [ bitwise reg 1 = ( reg 1 & MASK ) ^ FLIPPED ]; null: 0
void put_mask(nlmsghdr* message, const void* mask, std::uint32_t size, const void* flipped = nullptr);
// [ immediate reg 0 VERDICT ]
void put_verdict(nlmsghdr* message, std::uint32_t code);
// [ lookup reg 1 set MAP dreg 0 ]
void put_verdict_lookup(nlmsghdr* message, const std::string& map);
// [ lookup reg 1 set SET ], with `inverted` 0x1 behind it
void put_lookup(nlmsghdr* message, const std::string& set, bool inverted = false);

}  // namespace statnat
