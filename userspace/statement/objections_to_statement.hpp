// SPDX-License-Identifier: GPL-2.0-or-later
// What is wrong with our statement by itself, whoever wrote it; nothing if nothing is.
#pragma once

#include "ruleset/ruleset.hpp"

#include <optional>
#include <string>

namespace statnat {

std::optional<std::string> objection_to_map(const MapReference& map);
std::optional<std::string> objection_to_flags(const SnatStateless& statement);
std::optional<std::string> objection_to_else(const SnatStateless& statement);

// To the last prefix of those behind `unless`.
std::optional<std::string> objection_to_unless(const SnatStateless& statement);

}  // namespace statnat
