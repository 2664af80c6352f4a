// SPDX-License-Identifier: GPL-2.0-or-later
// A CSV file of pairs.
#pragma once

#include "draft.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace statnat {

class PairsFile {
public:
    explicit PairsFile(unsigned number) : number_(number) {}

    // Reads all of it into the draft that has it under this number; can be called again.
    void read(Draft& draft);

private:
    void read_lines(std::string_view lines, unsigned& number, Draft& draft) const;
    void read_line(std::string_view line, unsigned number, Draft& draft) const;

    unsigned number_;
    std::optional<std::string> text_;  // of what cannot be read twice
};

}  // namespace statnat
