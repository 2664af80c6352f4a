// SPDX-License-Identifier: GPL-2.0-or-later
// A configuration as files, from which read_configuration() makes the same one.
#pragma once

#include "config/configuration.hpp"

#include <string>
#include <string_view>

namespace statnat {

// The TOML file; its pairs are in `pairs_file`.
std::string settings_as_toml(const Configuration& configuration, std::string_view pairs_file);

std::string pairs_as_csv(const Pairs& pairs);
// With those that follow interfaces as they were written.
std::string pairs_as_csv(const Configuration& configuration);
std::string pairs_as_toml(const Pairs& pairs);  // a whole file

// A field of a CSV record.
std::string quoted_csv(std::string_view text);

}  // namespace statnat
