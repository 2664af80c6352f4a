// SPDX-License-Identifier: GPL-2.0-or-later
// The options of each command, and what is said by them. What reads one throws CannotGoOn where it is none.
#pragma once

#include "commands/engine.hpp"
#include "program/command_table.hpp"
#include "reports/choice.hpp"

#include <filesystem>
#include <optional>
#include <string>

namespace statnat {

void no_options(options::options_description&);
void engine_option(options::options_description& own);
void config_option(options::options_description& own);
void sync_options(options::options_description& own);
void render_options(options::options_description& own);
void diff_options(options::options_description& own);
void neighbours_options(options::options_description& own);
void drain_options(options::options_description& own);
void list_options(options::options_description& own);
void add_options(options::options_description& own);
void publish_options(options::options_description& own);
void clear_options(options::options_description& own);
void json_option(options::options_description& own);
void status_options(options::options_description& own);
void stats_options(options::options_description& own);
void top_options(options::options_description& own);
void trace_options(options::options_description& own);
void metrics_options(options::options_description& own);
void doctor_options(options::options_description& own);
void import_options(options::options_description& own);
void export_options(options::options_description& own);
void init_options(options::options_description& own);

// What stands behind an option that need not be there.
std::optional<std::string> text_of(const Values& values, const char* name);
std::optional<EngineChoice> engine_of(const Values& values);
std::filesystem::path config_of(const Values& values);
Choice choice_of(const Values& values);

}  // namespace statnat
