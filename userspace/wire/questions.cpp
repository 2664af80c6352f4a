// SPDX-License-Identifier: GPL-2.0-or-later
#include "wire/questions.hpp"

#include "wire/element_writer.hpp"
#include "wire/wire.hpp"

#include <string>

#include <linux/netfilter.h>

namespace statnat {

namespace {

// With NLM_F_DUMP it is answered by many messages.
template <typename PutAttributes>
Bytes ask(std::uint16_t type, std::uint8_t family, unsigned flags, std::uint32_t sequence,
          PutAttributes put_attributes) {
    MessageWriter writer(sequence);
    nlmsghdr* message = writer.start(type, family, flags);
    put_attributes(message);
    writer.finish(message);
    return writer.take();
}

}  // namespace

Bytes ask_generation(std::uint32_t sequence) {
    return ask(NFT_MSG_GETGEN, NFPROTO_UNSPEC, NLM_F_ACK, sequence, [](nlmsghdr*) {});
}

Bytes ask_table(Family family, std::string_view table, std::uint32_t sequence) {
    return ask(NFT_MSG_GETTABLE, protocol_family(family), NLM_F_ACK, sequence,
               [&](nlmsghdr* message) { put_text(message, NFTA_TABLE_NAME, table); });
}

Bytes ask_sets(Family family, std::string_view table, std::uint32_t sequence) {
    return ask(NFT_MSG_GETSET, protocol_family(family), NLM_F_DUMP, sequence,
               [&](nlmsghdr* message) { put_text(message, NFTA_SET_TABLE, table); });
}

Bytes ask_elements(Family family, std::string_view table, std::string_view set, std::uint32_t sequence) {
    return ask(NFT_MSG_GETSETELEM, protocol_family(family), NLM_F_DUMP, sequence, [&](nlmsghdr* message) {
        put_text(message, NFTA_SET_ELEM_LIST_TABLE, table);
        put_text(message, NFTA_SET_ELEM_LIST_SET, set);
    });
}

Bytes ask_element(Family family, std::string_view table, std::string_view set, const Address& key,
                  std::uint32_t sequence) {
    Map map{.name = std::string(set), .elements = {}};
    map.elements.push_back(key, key);
    constexpr std::size_t first[] = {0};
    return ask_elements(family, table, map, first, sequence);
}

Bytes ask_elements(Family family, std::string_view table, const Map& map, std::span<const std::size_t> elements,
                   std::uint32_t sequence) {
    return ask(NFT_MSG_GETSETELEM, protocol_family(family), NLM_F_ACK, sequence, [&](nlmsghdr* message) {
        put_text(message, NFTA_SET_ELEM_LIST_TABLE, table);
        put_text(message, NFTA_SET_ELEM_LIST_SET, map.name);
        nlattr* list = mnl_attr_nest_start(message, NFTA_SET_ELEM_LIST_ELEMENTS);
        for (const std::size_t element : elements) {
            put_key(message, map.elements.key(element));
        }
        mnl_attr_nest_end(message, list);
    });
}

Bytes ask_tables(Family family, std::uint32_t sequence) {
    return ask(NFT_MSG_GETTABLE, protocol_family(family), NLM_F_DUMP, sequence, [](nlmsghdr*) {});
}

Bytes ask_chains(Family family, std::uint32_t sequence) {
    return ask(NFT_MSG_GETCHAIN, protocol_family(family), NLM_F_DUMP, sequence, [](nlmsghdr*) {});
}

Bytes ask_chains_of_all(std::uint32_t sequence) {
    return ask(NFT_MSG_GETCHAIN, NFPROTO_UNSPEC, NLM_F_DUMP, sequence, [](nlmsghdr*) {});
}

Bytes ask_flowtables(std::uint32_t sequence) {
    return ask(NFT_MSG_GETFLOWTABLE, NFPROTO_UNSPEC, NLM_F_DUMP, sequence, [](nlmsghdr*) {});
}

Bytes ask_rules(Family family, std::string_view table, std::uint32_t sequence) {
    return ask(NFT_MSG_GETRULE, protocol_family(family), NLM_F_DUMP, sequence,
               [&](nlmsghdr* message) { put_text(message, NFTA_RULE_TABLE, table); });
}

}  // namespace statnat
