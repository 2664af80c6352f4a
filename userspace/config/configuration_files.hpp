// SPDX-License-Identifier: GPL-2.0-or-later
// From the files of a configuration to what they desire together; no I/O but reading them.
#pragma once

#include "config/configuration.hpp"

#include <cstdint>
#include <filesystem>

namespace statnat {

// Whether statnat.toml goes on in the files of conf.d beside it, and NAME.toml in those of NAME.d.
enum class DropIns : std::uint8_t { read, ignored };

// Who is asked for what stands in no file. Where nobody can be asked for addresses, interfaces have none; where nobody
// can be asked for a source, it has no pairs.
struct Outside {
    AskAddresses addresses{};
    AskSource source{};
};

// Throws InvalidConfiguration, and whatever the source does. Reads standard input where `file` is its name.
Configuration read_configuration(const std::filesystem::path& file, DropIns drop_ins = DropIns::read,
                                 const Outside& outside = {});

// The pairs of a file of the configuration, or of a CSV file, which is known by its name; no source is asked. Throws
// InvalidConfiguration, also where a file says of pairs what only this machine could know.
Pairs read_pairs(const std::filesystem::path& file);

// The pairs of a source, whatever part of them this gateway has. Throws InvalidConfiguration.
Pairs pairs_of(const SourceSnapshot& snapshot, const Source& source);

}  // namespace statnat
