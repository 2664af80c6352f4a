// SPDX-License-Identifier: GPL-2.0-or-later
// A packet's way through this machine: what came, which rules did what, and what left, or who dropped it.
#pragma once

#include "tracing/trace_event.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace statnat {

struct Passage {
    std::string time;  // of its first event, as a clock has it
    std::vector<TraceEvent> events;
};

// What a passage is told with.
struct Naming {
    std::string own_table;  // that traces
    std::function<std::optional<std::string>(const TraceEvent&)> text_of_rule;
    std::function<std::string(int)> interface;
};

// Whether nothing more is told of it.
bool is_over(const Passage& passage, const std::string& own_table);

std::string as_text(const Passage& passage, const Naming& naming);
std::string as_json(const Passage& passage, const Naming& naming);

}  // namespace statnat
