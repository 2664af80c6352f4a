// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/configuration.hpp"

namespace statnat {

std::string ConfigurationError::text() const {
    const std::string position = line == 0 ? "" : ":" + std::to_string(line) + ":" + std::to_string(column);
    return file.string() + position + ": " + sentence;
}

}  // namespace statnat
