// SPDX-License-Identifier: GPL-2.0-or-later
// What is wrong with our statement by itself, whoever wrote it; nothing if nothing is.
#pragma once

#include "ruleset/ruleset.hpp"

#include <optional>
#include <string>
#include <vector>

namespace statnat {

std::optional<std::string> objection_to_map(const MapReference& map);
std::optional<std::string> objection_to_flags(const SnatStateless& statement);
std::optional<std::string> objection_to_else(const SnatStateless& statement);

// To the last of the prefixes behind `unless`, or `only`.
std::optional<std::string> objection_to_prefixes(const SnatStateless& statement);
std::optional<std::string> objection_to_destinations(const SnatStateless& statement);

std::optional<std::string> objection_to_forward(const SnatStateless& statement);
std::optional<std::string> objection_to_errors(const SnatStateless& statement);

// To the last interface of those behind `via`.
std::optional<std::string> objection_to_via(const SnatStateless& statement);

}  // namespace statnat
