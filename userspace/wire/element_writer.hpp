// SPDX-License-Identifier: GPL-2.0-or-later
// Elements as items of the list that is open in a message.
#pragma once

#include "wire/wire.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

namespace statnat {

void put_key(nlmsghdr* message, const Address& key);

void put_element(nlmsghdr* message, const Map& map, const Element& element);

// A prefix as nft(8) writes intervals, by its boundaries.
void put_interval(nlmsghdr* message, const Prefix& prefix);

// What a standing map holds: ip : continue.
void put_standing(nlmsghdr* message, Family family);

// An element without a comment, whose counter starts at zero: nothing but its addresses is its own.
class PlainElement {
public:
    PlainElement(const Map& map, Family family);

    // `row`: the key, and the value behind it.
    void put(nlmsghdr* message, const std::uint8_t* row) const {
        auto* at = static_cast<char*>(mnl_nlmsg_get_payload_tail(message));
        std::memcpy(at, bytes_.data(), bytes_.size());
        std::memcpy(at + key_at, row, address_size_);
        if (value_at_ != 0) {
            std::memcpy(at + value_at_, row + address_size_, address_size_);
        }
        message->nlmsg_len += static_cast<std::uint32_t>(bytes_.size());
    }

private:
    static constexpr std::size_t key_at = 3 * MNL_ATTR_HDRLEN;  // behind the element's, the key's and the value's

    std::size_t address_size_;
    std::size_t value_at_;
    std::vector<char> bytes_;
};

}  // namespace statnat
