// SPDX-License-Identifier: GPL-2.0-or-later
#include "actual/counting.hpp"

#include "error.hpp"
#include "wire/decoder.hpp"
#include "wire/questions.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace statnat {

namespace {

// Each comes in a datagram of its own, which a receive buffer of an unprivileged size must hold.
constexpr std::size_t elements_at_once = 64;

Map& map_of(Ruleset& ruleset, const Selection& selection) {
    for (Table& table : ruleset) {
        for (Map& map : table.maps) {
            if (table.family == selection.family && map.name == selection.map) {
                return map;
            }
        }
    }
    throw CannotGoOn{"internal error: there is no map " + selection.map};
}

}  // namespace

std::vector<Selection> all_counted(const Ruleset& ruleset) {
    std::vector<Selection> selections;
    for (const Table& table : ruleset) {
        for (const Map& map : table.maps) {
            if (map.counters && !map.foreign) {
                std::vector<std::size_t> elements(map.elements.size());
                std::iota(elements.begin(), elements.end(), 0);
                selections.push_back({table.family, map.name, std::move(elements)});
            }
        }
    }
    return selections;
}

bool Counting::read(Ruleset& ruleset, const std::vector<Selection>& selections) {
    for (const Selection& selection : selections) {
        const std::span<const std::size_t> elements = selection.elements;
        Map& map = map_of(ruleset, selection);
        for (std::size_t first = 0; first < elements.size(); first += elements_at_once) {
            const std::size_t some = std::min(elements_at_once, elements.size() - first);
            if (!read(selection.family, map, elements.subspan(first, some))) {
                return false;
            }
            after_some_(count_ += some);
        }
    }
    return true;
}

bool Counting::read(Family family, Map& map, std::span<const std::size_t> elements) {
    auto next = elements.begin();
    const Answer answer =
        netlink_.ask(ask_elements(family, table_, map, elements, netlink_.next_sequence()), [&](Message message) {
            const auto traffic =
                next == elements.end() ? std::nullopt : decode_traffic(message, map.elements.key(*next));
            if (traffic) {
                map.elements.set_traffic(*next++, *traffic);
            }
        });
    return !answer.refusal && !answer.incomplete && next == elements.end();
}

}  // namespace statnat
