// SPDX-License-Identifier: GPL-2.0-or-later
#include "monitor/transaction.hpp"

#include "wire/decoder.hpp"
#include "wire/wire.hpp"

#include <utility>

namespace statnat {
namespace {

// Nothing for rules, chains, and whatever else is in a table.
std::optional<Deed> deed_of(Message message) {
    Deed deed;
    deed.family = message[MNL_NLMSG_HDRLEN] == protocol_family(Family::ipv4) ? Family::ipv4 : Family::ipv6;
    const Attributes attributes = Attributes::of(message);
    const int type = NFNL_MSG_TYPE(header_of(message).nlmsg_type);
    switch (type) {
    case NFT_MSG_NEWTABLE:
    case NFT_MSG_DELTABLE:
        deed.gone = type == NFT_MSG_DELTABLE;
        return deed;
    case NFT_MSG_NEWSET:
    case NFT_MSG_DELSET:
        deed.of = Deed::Of::map;
        deed.gone = type == NFT_MSG_DELSET;
        deed.map = attributes.text(NFTA_SET_NAME);
        return deed;
    case NFT_MSG_NEWSETELEM:
    case NFT_MSG_DELSETELEM:
        deed.of = Deed::Of::elements;
        deed.gone = type == NFT_MSG_DELSETELEM;
        deed.map = attributes.text(NFTA_SET_ELEM_LIST_SET);
        decode_elements(message, deed.family, deed.elements);
        return deed;
    default:
        return std::nullopt;
    }
}

bool goes_on(const Deed& before, const Deed& deed) {
    return deed.of == Deed::Of::elements && before.of == deed.of && before.gone == deed.gone &&
           before.family == deed.family && before.map == deed.map;
}

}  // namespace

std::optional<Transaction> TransactionReader::take(Message message) {
    const Event event = decode_event(message);
    if (event.generation) {
        return Transaction{{*event.generation, event.process, event.process_id}, std::exchange(deeds_, {})};
    }
    if (event.table == table_) {
        if (auto deed = deed_of(message)) {
            add(std::move(*deed));
        }
    }
    return std::nullopt;
}

// A large transaction tells element by element.
void TransactionReader::add(Deed deed) {
    if (deeds_.empty() || !goes_on(deeds_.back(), deed)) {
        deeds_.push_back(std::move(deed));
        return;
    }
    for (const Element& element : deed.elements) {
        deeds_.back().elements.push_back(element);
    }
}

}  // namespace statnat
