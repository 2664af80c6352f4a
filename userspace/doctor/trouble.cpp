// SPDX-License-Identifier: GPL-2.0-or-later
#include "doctor/trouble.hpp"

#include "printable.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace statnat {

Troubles in_order(Troubles troubles) {
    Troubles ordered;
    for (Trouble& trouble : troubles) {
        if (std::find(ordered.begin(), ordered.end(), trouble) == ordered.end()) {
            ordered.push_back(std::move(trouble));
        }
    }
    std::stable_partition(ordered.begin(), ordered.end(), [](const Trouble& trouble) { return trouble.breaks; });
    return ordered;
}

bool any_breaks(const Troubles& troubles) {
    return std::any_of(troubles.begin(), troubles.end(), [](const Trouble& trouble) { return trouble.breaks; });
}

std::string as_text(const Troubles& troubles) {
    std::string text;
    for (const Trouble& trouble : troubles) {
        text += printable(fmt::format("{}: {}; cure: {}", trouble.breaks ? "breaks" : "may break", trouble.what,
                                      trouble.cure)) +
                "\n";
    }
    return text;
}

std::string as_json(const Troubles& troubles) {
    return fmt::format(R"({{"breaks":{},"findings":{}}})", any_breaks(troubles),
                       list_in_json(troubles,
                                    [](const Trouble& trouble) {
                                        return fmt::format(R"({{"breaks":{},"what":{},"cure":{}}})", trouble.breaks,
                                                           quoted_json(trouble.what), quoted_json(trouble.cure));
                                    })) +
           "\n";
}

}  // namespace statnat
