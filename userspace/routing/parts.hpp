// SPDX-License-Identifier: GPL-2.0-or-later
// What messages of rtnetlink are made of, read.
#pragma once

#include "pairs/address.hpp"
#include "wire/message.hpp"
#include "wire/wire.hpp"

#include <cstddef>
#include <cstring>
#include <functional>
#include <optional>

#include <libmnl/libmnl.h>

namespace statnat {

template <typename T>
std::optional<T> load(Message bytes, std::size_t offset = 0) {
    T value{};
    if (bytes.size() < offset + sizeof value) {
        return std::nullopt;
    }
    std::memcpy(&value, bytes.data() + offset, sizeof value);
    return value;
}

// The header of its kind, and what stands behind that.
template <typename Header>
struct Parts {
    Header header;
    Attributes attributes;

    // Nothing where it is too short.
    static std::optional<Parts> of(Message message) {
        const auto header = load<Header>(message, MNL_NLMSG_HDRLEN);
        const std::size_t begin = MNL_NLMSG_HDRLEN + MNL_ALIGN(sizeof(Header));
        if (!header || message.size() < begin) {
            return std::nullopt;
        }
        return Parts{*header, {message.data() + begin, message.size() - begin}};
    }
};

// Of either family, by its size.
std::optional<Address> address_of(Message bytes);

// Calls `visit` with the next hops of a route, and the index of the interface that each is behind. One without an
// address is none.
void for_each_next_hop(const Attributes& route, const std::function<void(const Address&, unsigned)>& visit);

// Calls it with the index of each interface by which a route leaves, to whatever next hop.
void for_each_way(const Attributes& route, const std::function<void(unsigned)>& visit);

}  // namespace statnat
