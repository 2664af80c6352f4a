// SPDX-License-Identifier: GPL-2.0-or-later
// A line for each: what it is, and what belongs to it, with blanks between.
#include "neighbours/record.hpp"

#include <sstream>

#include <fmt/format.h>

namespace statnat {

NeighboursRecord recall(const RunFile& file) {
    NeighboursRecord record;
    auto opened = file.open();
    for (std::string line; opened && std::getline(opened->rest, line);) {
        std::istringstream words(line);
        std::string kind;
        std::string name;
        Changed changed;
        if (words >> kind >> name && kind == "chain") {
            record.chain = name;
        } else if (kind == "announced") {
            record.announced = name == "yes";
        } else if (kind == "setting" && words >> changed.before >> changed.now) {
            record.settings[name] = changed;
        }
    }
    return record;
}

void keep(const RunFile& file, const NeighboursRecord& record) {
    if (record == NeighboursRecord{}) {
        file.remove();
        return;
    }
    file.write(0, [&](Replacement& replacement) {
        for (const auto& [name, changed] : record.settings) {
            replacement.write(fmt::format("setting {} {} {}\n", name, changed.before, changed.now));
        }
        if (!record.chain.empty()) {
            replacement.write(fmt::format("chain {}\n", record.chain));
        }
        if (record.announced) {
            replacement.write("announced yes\n");
        }
    });
}

}  // namespace statnat
