// SPDX-License-Identifier: GPL-2.0-or-later
#include "wire/element_writer.hpp"

#include <array>
#include <string>

namespace statnat {

namespace {

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

}  // namespace

void put_key(nlmsghdr* message, const Address& key) {
    nlattr* item = mnl_attr_nest_start(message, NFTA_LIST_ELEM);
    put_address(message, NFTA_SET_ELEM_KEY, key);
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
        nftnl_udata_put_strz(data.get(), NFTNL_UDATA_SET_ELEM_COMMENT, element.comment.text().c_str());
        put_user_data(message, NFTA_SET_ELEM_USERDATA, data);
    }
    // Without this the kernel gives the element the map's own counter, at zero.
    if (map.counters && element.traffic != Traffic{}) {
        nlattr* counter = mnl_attr_nest_start(message, NFTA_SET_ELEM_EXPR);
        put_text(message, NFTA_EXPR_NAME, "counter");
        nlattr* data = mnl_attr_nest_start(message, NFTA_EXPR_DATA);
        put_traffic(message, element.traffic);
        mnl_attr_nest_end(message, data);
        mnl_attr_nest_end(message, counter);
    }
    mnl_attr_nest_end(message, item);
}

void put_interval(nlmsghdr* message, const Prefix& prefix) {
    const auto end = next(prefix.last());
    put_boundary(message, prefix.first(), false, !end);
    if (end) {
        put_boundary(message, *end, true, false);
    }
}

void put_standing(nlmsghdr* message, Family family) {
    nlattr* item = mnl_attr_nest_start(message, NFTA_LIST_ELEM);
    nlattr* key = mnl_attr_nest_start(message, NFTA_SET_ELEM_KEY);
    mnl_attr_put_u16(message, NFTA_DATA_VALUE, ether_type_of(family));
    mnl_attr_nest_end(message, key);
    nlattr* data = mnl_attr_nest_start(message, NFTA_SET_ELEM_DATA);
    nlattr* verdict = mnl_attr_nest_start(message, NFTA_DATA_VERDICT);
    put_number(message, NFTA_VERDICT_CODE, static_cast<std::uint32_t>(NFT_CONTINUE));
    mnl_attr_nest_end(message, verdict);
    mnl_attr_nest_end(message, data);
    mnl_attr_nest_end(message, item);
}

PlainElement::PlainElement(const Map& map, Family family) : address_size_(address_size(family)) {
    alignas(nlmsghdr) std::array<char, 128> buffer{};
    nlmsghdr* message = mnl_nlmsg_put_header(buffer.data());
    const Address none{family, {}};
    put_element(message, map, {none, none});
    const auto* start = static_cast<const char*>(mnl_nlmsg_get_payload(message));
    bytes_.assign(start, start + mnl_nlmsg_get_payload_len(message));
    value_at_ = map.values ? key_at + address_size_ + 2 * MNL_ATTR_HDRLEN : 0;
}

}  // namespace statnat
