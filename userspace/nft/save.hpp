// SPDX-License-Identifier: GPL-2.0-or-later
// The whole ruleset as a file for boot.
#pragma once

#include <filesystem>
#include <optional>

namespace statnat {

// To the standard output if there is no file, else as put_text(). Returns the exit status.
int save(const std::optional<std::filesystem::path>& file);

}  // namespace statnat
