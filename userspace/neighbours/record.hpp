// SPDX-License-Identifier: GPL-2.0-or-later
// Which of the kernel's settings the tool has changed, and what they were before.
#pragma once

#include "records/run_file.hpp"

#include <map>
#include <string>

namespace statnat {

struct Changed {
    std::string before;
    std::string now;
    bool operator==(const Changed&) const = default;
};

// By their names below /proc/sys.
using ChangedSettings = std::map<std::string, Changed>;

struct NeighboursRecord {
    ChangedSettings settings{};
    std::string chain{};  // what the kernel showed of our table of family arp, condensed; empty: there is none
    bool announced = false;  // there are routes that no pair asks for

    bool operator==(const NeighboursRecord&) const = default;
};

// Empty where nothing is kept.
NeighboursRecord recall(const RunFile& file);
void keep(const RunFile& file, const NeighboursRecord& record);

}  // namespace statnat
