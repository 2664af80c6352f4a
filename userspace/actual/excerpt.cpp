// SPDX-License-Identifier: GPL-2.0-or-later
#include "actual/excerpt.hpp"

#include "pairs/translation.hpp"
#include "wire/questions.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace statnat {

namespace {

// More are asked for in no ordinary configuration; reading all may be the shorter way then.
constexpr std::size_t most = 1000;

Candidate candidate(const Map& map, Family family, const Element& element) {
    const auto role = MapRole::of(map, family);
    if (!role) {
        return {};
    }
    if (const auto pair = role->pair(element)) {
        return {pair->internal, pair->external, pair->npt, false, pair->inbound};
    }
    const Prefix hole{element.key, role->length};
    return role->key == Side::internal ? Candidate{hole, {}, role->npt, true} : Candidate{{}, hole, role->npt};
}

bool same(const Candidate& one, const Candidate& other) {
    return one.internal == other.internal && one.external == other.external;
}

bool shares_a_side(const Candidate& one, const Candidate& other) {
    const auto is_side = [&](const std::optional<Prefix>& side) {
        return side && (side == other.internal || side == other.external);
    };
    return is_side(one.internal) || is_side(one.external);
}

bool is_inside(const std::optional<Prefix>& inner, const std::optional<Prefix>& outer) {
    return inner && outer && outer->length < inner->length && outer->covers(*inner);
}

}  // namespace

// A set without values is one of hosts.
std::uint8_t Excerpt::Place::length() const {
    const auto role = MapRole::of(get(), family());
    return role ? role->length : full_length(family());
}

Excerpt::Excerpt(Netlink& netlink, std::function<std::unique_ptr<Socket>()> open, const Ruleset& tables,
                 std::string name)
    : netlink_(netlink), open_(std::move(open)), name_(std::move(name)) {
    for (const Table& table : tables) {
        decoders_.emplace_back(table, name_);
    }
}

bool Excerpt::take(const Candidate& pair) {
    const Prefix& side = pair.internal ? *pair.internal : *pair.external;
    for (const Place& place : places()) {
        // Nobody can ask what is inside a prefix, or by which further addresses a host is reached.
        const auto role = MapRole::of(place.get(), place.family());
        if (place.family() == side.address.family && (place.length() > side.length || (role && role->inbound))) {
            return false;
        }
        if (role && role->key == Side::internal && !take_another(place, pair)) {
            return false;
        }
    }
    meet(pair);
    std::size_t before;
    do {
        before = asked_.size();
        for (std::size_t i = 0; i < met_.size(); ++i) {
            spread(Candidate(met_[i]));
        }
    } while (asked_.size() != before && asked_.size() < most);
    return asked_.size() < most;
}

Ruleset Excerpt::finish() {
    Ruleset ruleset;
    for (TableDecoder& decoder : decoders_) {
        ruleset.push_back(decoder.finish());
    }
    return ruleset;
}

std::vector<Excerpt::Place> Excerpt::places() {
    std::vector<Place> places;
    for (TableDecoder& decoder : decoders_) {
        for (std::size_t map = 0; map < decoder.so_far().maps.size(); ++map) {
            if (!decoder.so_far().maps[map].foreign) {
                places.push_back({decoder, map});
            }
        }
    }
    return places;
}

// Any other one: with it the map is one that has pairs. What begins a dump is told at once, however long all of it is.
bool Excerpt::take_another(const Place& place, const Candidate& pair) {
    TableDecoder some(place.decoder.so_far(), name_);
    Netlink aside(open_());
    aside.ask_for_some(ask_elements(place.family(), name_, place.get().name, aside.next_sequence()),
                       [&](Message message) { some.elements(message); });
    const Elements& elements = some.so_far().maps[place.map].elements;
    for (const Element& element : elements) {
        const Candidate other = candidate(place.get(), place.family(), element);
        if (!shares_a_side(other, pair)) {
            meet(other);
            return true;
        }
    }
    return false;
}

// To whatever it would meet if it were a packet.
void Excerpt::spread(const Candidate& from) {
    for (const auto& side : {from.internal, from.external}) {
        if (side) {
            look(*side);
        }
    }
    for (std::size_t i = 0; i < met_.size(); ++i) {
        const Candidate outer = met_[i];
        if (!outer.internal || !outer.external) {
            continue;
        }
        const Translation outbound{*outer.internal, *outer.external, outer.npt};
        std::vector<Counterpart> ends;
        if (is_inside(from.internal, outer.internal)) {
            ends.push_back(translate(outbound, *from.internal));
        }
        if (is_inside(from.external, outer.external)) {
            ends.push_back(origin(outbound, *from.external));
        }
        for (const Counterpart& end : ends) {
            if (end.fate == Fate::one) {
                look(end.prefix);
            }
        }
    }
}

// For all that covers it, on either side.
void Excerpt::look(const Prefix& prefix) {
    for (const Place& place : places()) {
        if (place.family() == prefix.address.family && place.length() <= prefix.length) {
            ask(place, Prefix::of(prefix.address, place.length()).address);
        }
    }
}

void Excerpt::ask(const Place& place, const Address& key) {
    if (!asked_.emplace(place.family(), place.get().name, key).second) {
        return;
    }
    const std::size_t before = place.get().elements.size();
    netlink_.ask(ask_element(place.family(), name_, place.get().name, key, netlink_.next_sequence()),
                 [&](Message message) { place.decoder.elements(message); });
    if (place.get().elements.size() > before) {
        meet(candidate(place.get(), place.family(), place.get().elements[before]));
    }
}

void Excerpt::meet(const Candidate& candidate) {
    const auto known = [&](const Candidate& one) { return same(one, candidate); };
    if ((candidate.internal || candidate.external) && std::none_of(met_.begin(), met_.end(), known)) {
        met_.push_back(candidate);
    }
}

}  // namespace statnat
