// SPDX-License-Identifier: GPL-2.0-or-later
#include "neighbours/surroundings.hpp"

#include <algorithm>

namespace statnat {

std::optional<int> Surroundings::device() const {
    const auto found = std::find_if(links.begin(), links.end(),
                                    [](const auto& one) { return one.second.name == neighbours_device; });
    return found == links.end() ? std::nullopt : std::optional(found->first);
}

}  // namespace statnat
