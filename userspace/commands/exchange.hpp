// SPDX-License-Identifier: GPL-2.0-or-later
// Commands for the ways in from what others have, and out again; neither asks the kernel. Each returns the exit status.
#pragma once

#include "commands/desired.hpp"
#include "formats/formats.hpp"
#include "names.hpp"
#include "progress.hpp"

#include <ostream>
#include <string_view>

namespace statnat {

enum class PairsAs : std::uint8_t { toml, csv };

// Writes the pairs that a text of `format` has, and says of everything else why it is left out.
int import_pairs(const Format& format, const Path& file, PairsAs form, Progress& progress, std::ostream& out);

// Writes a configuration's pairs in one of the forms that others can read; throws CannotGoOn for any other name.
int export_pairs(std::string_view form, const Path& file, const Instance& instance, Progress& progress,
                 std::ostream& out);

}  // namespace statnat
