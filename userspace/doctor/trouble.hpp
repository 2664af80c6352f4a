// SPDX-License-Identifier: GPL-2.0-or-later
// What is wrong around this tool, each with its cure; values.
#pragma once

#include <string>
#include <vector>

namespace statnat {

struct Trouble {
    std::string what;
    std::string cure;    // a command, or where it begins with a file's name, what that is to say
    bool breaks = true;  // packets of pairs, or those of some; otherwise it may

    auto operator<=>(const Trouble&) const = default;
};

using Troubles = std::vector<Trouble>;

// Those that break something first, each once.
Troubles in_order(Troubles troubles);
bool any_breaks(const Troubles& troubles);

// A line each; nothing where there are none.
std::string as_text(const Troubles& troubles);
std::string as_json(const Troubles& troubles);

}  // namespace statnat
