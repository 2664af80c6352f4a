// SPDX-License-Identifier: GPL-2.0-or-later
#include "quantity.hpp"

namespace statnat {

std::string grouped(std::uint64_t number) {
    std::string digits = std::to_string(number);
    for (std::size_t place = 3; place < digits.size(); place += 4) {
        digits.insert(digits.size() - place, 1, ',');
    }
    return digits;
}

std::string quantity(std::uint64_t number, std::string_view thing) {
    return std::to_string(number) + " " + std::string(thing) + (number == 1 ? "" : "s");
}

}  // namespace statnat
