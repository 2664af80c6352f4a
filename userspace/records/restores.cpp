// SPDX-License-Identifier: GPL-2.0-or-later
#include "records/restores.hpp"

#include <string>

namespace statnat {

std::uint64_t Restores::count() const {
    std::uint64_t count = 0;
    if (auto opened = file_.open()) {
        opened->rest >> count;
    }
    return count;
}

void Restores::add_one() const {
    const std::uint64_t more = count() + 1;
    file_.write(0, [&](Replacement& file) { file.write(std::to_string(more) + "\n"); });  // of no one generation
}

}  // namespace statnat
