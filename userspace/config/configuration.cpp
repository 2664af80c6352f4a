// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/configuration.hpp"

#include <fmt/format.h>

namespace statnat {

std::string ConfigurationError::text() const {
    return line == 0 ? fmt::format("{}: {}", file.string(), sentence)
                     : fmt::format("{}:{}:{}: {}", file.string(), line, column, sentence);
}

}  // namespace statnat
