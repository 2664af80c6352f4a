// SPDX-License-Identifier: GPL-2.0-or-later
// From the files of a configuration to what they desire together; no I/O but reading them.
#pragma once

#include "config/configuration.hpp"

#include <cstdint>
#include <filesystem>

namespace statnat {

// Whether statnat.toml goes on in the files of conf.d beside it, and NAME.toml in those of NAME.d.
enum class DropIns : std::uint8_t { read, ignored };

// Throws InvalidConfiguration. Reads standard input where `file` is its name. Where nobody can be asked for addresses,
// interfaces have none.
Configuration read_configuration(const std::filesystem::path& file, DropIns drop_ins = DropIns::read,
                                 const AskAddresses& ask = {});

}  // namespace statnat
