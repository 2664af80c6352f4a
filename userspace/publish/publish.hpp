// SPDX-License-Identifier: GPL-2.0-or-later
// The command that changes the pairs of a source, for all gateways at once. Each returns the exit status.
#pragma once

#include <filesystem>
#include <ostream>
#include <string>

namespace statnat {

// A pair as it was asked for.
struct PublishOptions {
    std::filesystem::path configuration;  // whose source it is
    bool npt = false;
    bool inbound = false;  // a further external address of a host
    std::string comment{};
    bool force = false;  // even if fewer than half of all pairs would be left
};

int publish_add(const std::string& internal, const std::string& external, const PublishOptions& options,
                std::ostream& out);
int publish_del(const std::string& side, const PublishOptions& options, std::ostream& out);
// All pairs of a file, TOML or CSV, and no others.
int publish_file(const std::filesystem::path& file, const PublishOptions& options, std::ostream& out);

}  // namespace statnat
