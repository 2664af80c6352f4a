// SPDX-License-Identifier: GPL-2.0-or-later
// From the text of a configuration to what it desires; no I/O but reading the files it names.
#pragma once

#include "config/configuration.hpp"

#include <filesystem>

namespace statnat {

// Throws InvalidConfiguration.
Configuration read_configuration(const std::filesystem::path& file);

}  // namespace statnat
