// SPDX-License-Identifier: GPL-2.0-or-later
// What is wrong with a configuration, as the tool prints it, but for the folder that a test has made.
#pragma once

#include "config/configuration.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace statnat {

template <class Read>
std::vector<std::string> errors_of(const std::filesystem::path& folder, Read read) {
    try {
        read();
        return {};
    } catch (const InvalidConfiguration& invalid) {
        std::vector<std::string> lines;
        for (const ConfigurationError& error : invalid.errors) {
            std::string line = error.text();
            const std::string prefix = folder.string() + "/";
            for (std::size_t at = line.find(prefix); at != std::string::npos; at = line.find(prefix)) {
                line.erase(at, prefix.size());
            }
            lines.push_back(line);
        }
        return lines;
    }
}

}  // namespace statnat
