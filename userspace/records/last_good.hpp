// SPDX-License-Identifier: GPL-2.0-or-later
// The configuration that worked last, kept for a boot at which the one in /etc has been broken.
#pragma once

#include "config/configuration.hpp"

#include <filesystem>
#include <optional>
#include <string>

namespace statnat {

class LastGood {
public:
    LastGood(std::filesystem::path directory, std::string name);

    // Of a configuration in /etc/statnat; others have none.
    static std::optional<LastGood> of(const std::filesystem::path& configuration);

    // What read_configuration() takes; it need not exist.
    const std::filesystem::path& file() const { return file_; }

    // In place of what was kept before, all at once. Throws CannotGoOn, or std::system_error.
    void keep(const Configuration& configuration) const;

private:
    std::filesystem::path directory_;
    std::string name_;
    std::filesystem::path file_;
};

}  // namespace statnat
