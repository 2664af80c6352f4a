// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/configuration.hpp"

#include <fmt/format.h>
#include <netinet/in.h>

namespace statnat {

std::string ConfigurationError::text() const {
    return line == 0 ? fmt::format("{}: {}", file.string(), sentence)
                     : fmt::format("{}:{}:{}: {}", file.string(), line, column, sentence);
}

std::string Exception::service() const {
    return port ? fmt::format("{} {}", protocol == IPPROTO_TCP ? "tcp" : "udp", *port)
                : fmt::format("protocol {}", protocol);
}

}  // namespace statnat
