// SPDX-License-Identifier: GPL-2.0-or-later
#include "wire/decoder.hpp"

#include "names.hpp"
#include "wire/statement_reader.hpp"
#include "wire/wire.hpp"

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include <linux/netfilter.h>

namespace statnat {

namespace {

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

Comment comment_in(const Attributes& element) {
    return text_in_user_data(element.bytes(NFTA_SET_ELEM_USERDATA), NFTNL_UDATA_SET_ELEM_COMMENT);
}

bool has_host_bits(const Address& address, const Map& map) {
    const auto role = MapRole::of(map, address.family);
    return role && Prefix::of(address, role->length).address != address;
}

}  // namespace

std::uint32_t decode_generation(Message message) {
    const Attributes attributes = Attributes::of(message);
    if (!attributes.has(NFTA_GEN_ID)) {
        malformed("a generation");
    }
    return attributes.number(NFTA_GEN_ID);
}

Event decode_event(Message message) {
    const Attributes attributes = Attributes::of(message);
    if (header_of(message).nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWGEN)) {
        return {.generation = decode_generation(message),
                .process = attributes.text(NFTA_GEN_PROC_NAME),
                .process_id = attributes.number(NFTA_GEN_PROC_PID)};
    }
    // Tables and all that is in them have the table's name as their first attribute.
    const std::uint8_t family = message[MNL_NLMSG_HDRLEN];  // nfgen_family
    return {.table = family == NFPROTO_IPV4 || family == NFPROTO_IPV6 ? attributes.text(NFTA_TABLE_NAME) : ""};
}

std::optional<Traffic> decode_traffic(Message message, const Address& key) {
    std::optional<Traffic> traffic;
    for_each_item(Attributes::of(message).bytes(NFTA_SET_ELEM_LIST_ELEMENTS), [&](Message item) {
        const Attributes attributes(item.data(), item.size());
        const Attributes expression = attributes.nest(NFTA_SET_ELEM_EXPR);
        if (address_in(attributes.nest(NFTA_SET_ELEM_KEY), key.family) == key &&
            expression.text(NFTA_EXPR_NAME) == "counter") {
            traffic = traffic_in(expression.nest(NFTA_EXPR_DATA));
        }
    });
    return traffic;
}

std::optional<OtherChain> decode_chain_of_others(Message message) {
    const Attributes attributes = Attributes::of(message);
    const std::uint8_t number = message[MNL_NLMSG_HDRLEN];  // nfgen_family
    OtherChain chain;
    for (const Family family : families) {
        if (number == protocol_family(family) || number == NFPROTO_INET) {
            chain.families.push_back(family);
        }
    }
    const std::string table = attributes.text(NFTA_CHAIN_TABLE);
    if (chain.families.empty() || !attributes.has(NFTA_CHAIN_HOOK) ||
        (Instance::of_table(table) && chain.families.size() == 1)) {
        return std::nullopt;
    }
    chain.place = place_in(message, table, attributes.text(NFTA_CHAIN_NAME));
    chain.translates = attributes.text(NFTA_CHAIN_TYPE) == "nat";
    return chain;
}

void decode_elements(Message message, Family family, Elements& elements) {
    for_each_item(Attributes::of(message).bytes(NFTA_SET_ELEM_LIST_ELEMENTS), [&](Message item) {
        const Attributes attributes(item.data(), item.size());
        const auto key = address_in(attributes.nest(NFTA_SET_ELEM_KEY), family);
        const auto value = address_in(attributes.nest(NFTA_SET_ELEM_DATA), family);
        if (key && value) {
            elements.push_back({*key, *value, comment_in(attributes)});
        }
    });
}

std::string decode_table_name(Message message) {
    return Attributes::of(message).text(NFTA_TABLE_NAME);
}

TableDecoder::TableDecoder(Family family, std::string name) : name_(std::move(name)) {
    table_.family = family;
}

TableDecoder::TableDecoder(Table table, std::string name) : name_(std::move(name)), table_(std::move(table)) {}

void TableDecoder::table(Message message) {
    table_.dormant = (Attributes::of(message).number(NFTA_TABLE_FLAGS) & NFT_TABLE_F_DORMANT) != 0;
}

void TableDecoder::set(Message message) {
    const Attributes attributes = Attributes::of(message);
    const std::uint32_t flags = attributes.number(NFTA_SET_FLAGS);
    // An anonymous set is part of the rule that uses it, and goes with it.
    if (attributes.text(NFTA_SET_TABLE) != name_ || (flags & NFT_SET_ANONYMOUS)) {
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
    if (flags == NFT_SET_MAP && attributes.number(NFTA_SET_KEY_TYPE) == ether_type) {
        table_.standing_maps.push_back({attributes.text(NFTA_SET_NAME), true});
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

std::vector<std::string> TableDecoder::maps_to_read() const {
    std::vector<std::string> names;
    for (const Map& map : table_.maps) {
        if (!map.foreign) {
            names.push_back(map.name);
        }
    }
    return names;
}

std::vector<std::string> TableDecoder::sets_to_read() const {
    std::vector<std::string> names;
    for (const Intervals& intervals : intervals_) {
        if (!intervals.set.foreign) {
            names.push_back(intervals.set.name);
        }
    }
    for (const StandingMap& map : table_.standing_maps) {
        names.push_back(map.name);
    }
    return names;
}

bool TableDecoder::put(const std::string& set, Elements elements) {
    for (Map& map : table_.maps) {
        if (map.name == set) {
            map.elements = std::move(elements);
            return true;
        }
    }
    return false;
}

void TableDecoder::elements(Message message) {
    const Attributes attributes = Attributes::of(message);
    if (attributes.text(NFTA_SET_ELEM_LIST_TABLE) != name_) {
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
    for (StandingMap& map : table_.standing_maps) {
        if (map.name == name) {
            for_each_item(list, [&](Message item) { standing(map, item.data(), item.size()); });
        }
    }
}

void TableDecoder::element(Map& map, const void* data, std::size_t size) {
    const Attributes attributes(data, size);
    const auto key = address_in(attributes.nest(NFTA_SET_ELEM_KEY), table_.family);
    const auto value = map.values ? address_in(attributes.nest(NFTA_SET_ELEM_DATA), table_.family) : key;
    const Attributes expression = attributes.nest(NFTA_SET_ELEM_EXPR);
    const bool has_counter = expression.text(NFTA_EXPR_NAME) == "counter";
    // A catch-all element ("*") has flags and no key; no packet finds one with host bits in a map of prefixes.
    if (!key || !value || has_host_bits(*key, map) || has_host_bits(*value, map) ||
        attributes.number(NFTA_SET_ELEM_FLAGS) != 0 || has_counter != map.counters ||
        attributes.has(NFTA_SET_ELEM_EXPRESSIONS)) {
        map.foreign = true;
        return;
    }
    Element element;
    element.key = *key;
    element.value = *value;
    element.comment = comment_in(attributes);
    if (has_counter) {
        element.traffic = traffic_in(expression.nest(NFTA_EXPR_DATA));
    }
    map.elements.push_back(element);
    ++elements_read_;
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

// Ours has nothing but the one element without which nothing of the table goes on.
void TableDecoder::standing(StandingMap& map, const void* data, std::size_t size) {
    const Attributes attributes(data, size);
    const Message key = attributes.nest(NFTA_SET_ELEM_KEY).bytes(NFTA_DATA_VALUE);
    const Attributes verdict = attributes.nest(NFTA_SET_ELEM_DATA).nest(NFTA_DATA_VERDICT);
    const std::uint16_t ours = ether_type_of(table_.family);
    map.foreign = key.size() != sizeof ours || std::memcmp(key.data(), &ours, sizeof ours) != 0 ||
                  verdict.number(NFTA_VERDICT_CODE) != static_cast<std::uint32_t>(NFT_CONTINUE);
}

void TableDecoder::chain(Message message) {
    const Attributes attributes = Attributes::of(message);
    // The chain of a "jump { ... }" is part of the rule that jumps there.
    if (attributes.text(NFTA_CHAIN_TABLE) != name_ ||
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
        } else if (accepts && type == "nat") {
            chain.type = ChainType::nat;
        } else {
            chain.type = ChainType::other;
        }
    }
    table_.chains.push_back(std::move(chain));
}

void TableDecoder::rule(Message message) {
    const Attributes attributes = Attributes::of(message);
    if (attributes.text(NFTA_RULE_TABLE) != name_) {
        return;
    }
    const Rule rule = rule_in(attributes.bytes(NFTA_RULE_EXPRESSIONS), table_.family);
    const std::string name = attributes.text(NFTA_RULE_CHAIN);
    for (Chain& chain : table_.chains) {
        if (chain.name == name) {
            chain.rules.push_back(rule);
        }
    }
}

Table TableDecoder::finish() {
    for (Map& map : table_.maps) {
        map.elements.sort();
    }
    for (Intervals& intervals : intervals_) {
        auto prefixes = prefixes_between(std::move(intervals.boundaries), table_.family);
        intervals.set.foreign = intervals.set.foreign || !prefixes;
        intervals.set.prefixes = std::move(prefixes).value_or(std::vector<Prefix>{});
        table_.prefix_sets.push_back(std::move(intervals.set));
    }
    intervals_.clear();
    return std::move(table_);
}

}  // namespace statnat
