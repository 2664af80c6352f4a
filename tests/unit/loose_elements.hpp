// SPDX-License-Identifier: GPL-2.0-or-later
// Elements taken apart, for tests that change some of them.
#pragma once

#include "pairs/elements.hpp"

#include <vector>

namespace statnat {

template <typename Change>
void change(Elements& elements, Change change_loose) {
    std::vector<Element> loose(elements.begin(), elements.end());
    change_loose(loose);
    elements = {};
    for (const Element& element : loose) {
        elements.push_back(element);
    }
}

template <typename ChangeOne>
void change_each(Elements& elements, ChangeOne change_one) {
    change(elements, [&](std::vector<Element>& loose) {
        for (Element& element : loose) {
            change_one(element);
        }
    });
}

inline void remove_last(Elements& elements) {
    change(elements, [](std::vector<Element>& loose) { loose.pop_back(); });
}

}  // namespace statnat
