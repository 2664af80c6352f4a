// SPDX-License-Identifier: GPL-2.0-or-later
// A text on its way to libnftables: as the user wrote it, and with stand-ins at the same lines and columns.
#pragma once

#include "stand_in.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace statnat {

// The part of a line that a statement covers; from 1, the last column included.
struct Span {
    std::size_t line;
    std::size_t first;
    std::size_t last;
    bool operator==(const Span&) const = default;
};

struct Document {
    std::string name;  // as libnftables calls it
    std::string original;
    std::string text;
    std::vector<Span> spans;  // of each statement, in the line that it begins in
};

// Nothing if there is no statement of ours in the text; nothing has to be done then.
std::optional<Document> with_stand_ins(std::string_view name, std::string_view original, StandIns& stand_ins);

// A line without its end; empty beyond the last one.
std::string_view line_of(std::string_view text, std::size_t number);

}  // namespace statnat
