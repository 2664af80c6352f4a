// SPDX-License-Identifier: GPL-2.0-or-later
#include "wire/snat_stateless.hpp"

#include "wire/wire.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <linux/netfilter/nft_snat_stateless.h>

namespace statnat {

namespace {

// Of each of the flags.
constexpr std::array<std::uint32_t, statement_flags.size()> bits_of_flags{
    NFT_SNAT_STATELESS_F_NOTRACK, NFT_SNAT_STATELESS_F_UNTRACK, NFT_SNAT_STATELESS_F_UNTRACKED,
    NFT_SNAT_STATELESS_F_TRACKED, NFT_SNAT_STATELESS_F_FOLLOW,  NFT_SNAT_STATELESS_F_FOLLOWED};

// Of each Reason.
constexpr std::array<std::uint16_t, reason_count> types_of_reasons{
    NFTA_SNAT_STATELESS_COUNT_MALFORMED, NFTA_SNAT_STATELESS_COUNT_NO_MEMORY,
    NFTA_SNAT_STATELESS_COUNT_NO_COUNTERPART, NFTA_SNAT_STATELESS_COUNT_POLICY,
    NFTA_SNAT_STATELESS_COUNT_REDIRECTS, NFTA_SNAT_STATELESS_COUNT_TRACKED,
    NFTA_SNAT_STATELESS_COUNT_EXEMPT, NFTA_SNAT_STATELESS_COUNT_LOCAL,
    NFTA_SNAT_STATELESS_COUNT_BORDER, NFTA_SNAT_STATELESS_COUNT_ERRORS,
    NFTA_SNAT_STATELESS_COUNT_QUOTES, NFTA_SNAT_STATELESS_COUNT_SHORTCUTS,
    NFTA_SNAT_STATELESS_COUNT_DETOURS};

// The order of a dump, so that the reader can compare whole lists.
void put_map(nlmsghdr* message, const MapReference& map) {
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

void put_maps(nlmsghdr* message, std::uint16_t type, const std::vector<MapReference>& maps) {
    nlattr* list = mnl_attr_nest_start(message, type);
    for (const MapReference& map : maps) {
        put_map(message, map);
    }
    mnl_attr_nest_end(message, list);
}

static_assert(most_destinations == NFT_SNAT_STATELESS_UNLESS_MAX);

void put_prefixes(nlmsghdr* message, std::uint16_t type, const std::vector<Prefix>& prefixes) {
    nlattr* list = mnl_attr_nest_start(message, type);
    for (const Prefix& prefix : prefixes) {
        nlattr* item = mnl_attr_nest_start(message, NFTA_LIST_ELEM);
        mnl_attr_put(message, NFTA_SNAT_STATELESS_PREFIX_ADDRESS, prefix.address.size(), prefix.address.bytes.data());
        put_number(message, NFTA_SNAT_STATELESS_PREFIX_LENGTH, prefix.length);
        mnl_attr_nest_end(message, item);
    }
    mnl_attr_nest_end(message, list);
}

static_assert(most_via == NFT_SNAT_STATELESS_VIA_MAX);

void put_via(nlmsghdr* message, const std::vector<std::string>& names) {
    nlattr* list = mnl_attr_nest_start(message, NFTA_SNAT_STATELESS_VIA);
    for (const std::string& name : names) {
        put_text(message, NFTA_LIST_ELEM, name);
    }
    mnl_attr_nest_end(message, list);
}

// Nothing where it is none of either family.
std::optional<Address> address_in(Message bytes) {
    for (const Family family : families) {
        Address address{family, {}};
        if (bytes.size() == address.size()) {
            std::copy(bytes.begin(), bytes.end(), address.bytes.begin());
            return address;
        }
    }
    return {};
}

std::optional<Prefix> prefix_in(Message bytes, std::uint32_t length) {
    const auto address = address_in(bytes);
    return address && length <= full_length(address->family)
               ? std::optional(Prefix::of(*address, static_cast<std::uint8_t>(length)))
               : std::nullopt;
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
        reference.within = prefix_in(map.bytes(NFTA_SNAT_STATELESS_MAP_WITHIN),
                                     map.number(NFTA_SNAT_STATELESS_MAP_WITHIN_LENGTH));
        maps.push_back(std::move(reference));
    });
    return maps;
}

std::vector<Prefix> prefixes_in(Message list) {
    std::vector<Prefix> prefixes;
    for_each_item(list, [&](Message item) {
        const Attributes one(item.data(), item.size());
        if (const auto prefix = prefix_in(one.bytes(NFTA_SNAT_STATELESS_PREFIX_ADDRESS),
                                          one.number(NFTA_SNAT_STATELESS_PREFIX_LENGTH))) {
            prefixes.push_back(*prefix);
        }
    });
    return prefixes;
}

std::vector<std::string> via_in(Message list) {
    std::vector<std::string> names;
    for_each_item(list, [&](Message item) {
        names.emplace_back(item.begin(), std::find(item.begin(), item.end(), 0));
    });
    return names;
}

}  // namespace

void put(nlmsghdr* message, const SnatStateless& statement) {
    put_number(message, NFTA_SNAT_STATELESS_FIELD,
               statement.field == Field::source ? NFT_SNAT_STATELESS_SADDR : NFT_SNAT_STATELESS_DADDR);
    put_maps(message, NFTA_SNAT_STATELESS_MAPS, statement.maps);
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < statement_flags.size(); ++i) {
        bits |= statement.*statement_flags[i].member ? bits_of_flags[i] : 0;
    }
    bits |= statement.forward ? NFT_SNAT_STATELESS_F_FORWARD : 0;
    put_number(message, NFTA_SNAT_STATELESS_FLAGS, bits);
    if (!statement.else_maps.empty()) {
        put_maps(message, NFTA_SNAT_STATELESS_ELSE_MAPS, statement.else_maps);
    }
    if (!statement.destinations.empty()) {
        put_prefixes(message, statement.only ? NFTA_SNAT_STATELESS_ONLY : NFTA_SNAT_STATELESS_UNLESS,
                     statement.destinations);
    }
    if (!statement.via.empty()) {
        put_via(message, statement.via);
    }
    if (const auto& address = statement.errors_as) {
        mnl_attr_put(message, NFTA_SNAT_STATELESS_ERRORS_AS, address->size(), address->bytes.data());
    }
}

std::optional<SnatStateless> snat_stateless_in(const Attributes& data) {
    const std::uint32_t field = data.number(NFTA_SNAT_STATELESS_FIELD);
    const bool source = field == NFT_SNAT_STATELESS_SADDR;
    if (!data.has(NFTA_SNAT_STATELESS_FIELD) || !data.has(NFTA_SNAT_STATELESS_MAPS) ||
        (!source && field != NFT_SNAT_STATELESS_DADDR)) {
        return {};
    }
    const bool only = data.has(NFTA_SNAT_STATELESS_ONLY);
    SnatStateless statement{.field = source ? Field::source : Field::destination,
                            .maps = map_references_in(data.bytes(NFTA_SNAT_STATELESS_MAPS)),
                            .else_maps = map_references_in(data.bytes(NFTA_SNAT_STATELESS_ELSE_MAPS)),
                            .destinations = prefixes_in(
                                data.bytes(only ? NFTA_SNAT_STATELESS_ONLY : NFTA_SNAT_STATELESS_UNLESS)),
                            .only = only,
                            .via = via_in(data.bytes(NFTA_SNAT_STATELESS_VIA)),
                            .errors_as = address_in(data.bytes(NFTA_SNAT_STATELESS_ERRORS_AS))};
    std::uint32_t bits = data.number(NFTA_SNAT_STATELESS_FLAGS);
    for (std::size_t i = 0; i < statement_flags.size(); ++i) {
        statement.*statement_flags[i].member = (bits & bits_of_flags[i]) != 0;
        bits &= ~bits_of_flags[i];
    }
    statement.forward = (bits & NFT_SNAT_STATELESS_F_FORWARD) != 0;
    bits &= ~static_cast<std::uint32_t>(NFT_SNAT_STATELESS_F_FORWARD);
    if (bits != 0) {
        return {};
    }
    return statement;
}

bool is_seen_by_snat_stateless(std::size_t attribute) {
    return attribute == NFTA_SNAT_STATELESS_DROPPED || attribute == NFTA_SNAT_STATELESS_PAD ||
           attribute == NFTA_SNAT_STATELESS_COUNTS;
}

std::uint64_t dropped_in(const Attributes& data) {
    return data.long_number(NFTA_SNAT_STATELESS_DROPPED);
}

std::optional<Counts> counts_in(const Attributes& data) {
    if (!data.has(NFTA_SNAT_STATELESS_COUNTS)) {
        return {};
    }
    const Attributes told = data.nest(NFTA_SNAT_STATELESS_COUNTS);
    Counts counts{};
    for (std::size_t i = 0; i < counts.size(); ++i) {
        counts[i] = told.long_number(types_of_reasons[i]);
    }
    return counts;
}

}  // namespace statnat
