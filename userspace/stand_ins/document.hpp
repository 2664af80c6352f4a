// SPDX-License-Identifier: GPL-2.0-or-later
// A text on its way to libnftables: as the user wrote it, and with stand-ins at the same lines and columns.
#pragma once

#include "stand_ins/stand_in.hpp"

#include <cstddef>
#include <functional>
#include <map>
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

// A text whose lines are asked for by number.
class Lines {
public:
    explicit Lines(std::string whole) : whole_(std::move(whole)) {}

    const std::string& whole() const { return whole_; }
    // Without its end; empty beyond the last one.
    std::string_view line(std::size_t number) const;

private:
    std::string whole_;
    mutable std::vector<std::size_t> begins_;  // found when a line is first asked for
};

struct Document {
    Lines original;
    Lines text;
    std::vector<Span> spans;  // of each statement, in the line that it begins in; ascending
};

// By the names that libnftables has for them. What is null has no statement of ours: nothing has to be done then.
using Documents = std::map<std::string, std::optional<Document>, std::less<>>;

std::optional<Document> with_stand_ins(std::string_view original, StandIns& stand_ins);

}  // namespace statnat
