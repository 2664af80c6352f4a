// SPDX-License-Identifier: GPL-2.0-or-later
// What the course of a probe says is wrong.
#pragma once

#include "doctor/probe.hpp"
#include "doctor/trace.hpp"
#include "doctor/trouble.hpp"

#include <functional>
#include <optional>
#include <string>

namespace statnat {

// What is asked for more, where the course leaves something open.
struct Questions {
    std::function<std::optional<std::string>(const TraceEvent&)> text_of_rule;
    // Why the kernel routes it nowhere, from behind the translation of its target: an errno, or 0.
    std::function<int(const Probe&)> routing_error;
    std::string sync;   // the command that makes rules right
    std::string table;  // the name of those that make packets untracked; empty: none do
};

std::optional<Trouble> diagnosis(const Probe& probe, const Course& course, const Questions& ask);

}  // namespace statnat
