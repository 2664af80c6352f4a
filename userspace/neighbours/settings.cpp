// SPDX-License-Identifier: GPL-2.0-or-later
#include "neighbours/settings.hpp"

#include "error.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>

#include <fmt/format.h>

namespace statnat {
namespace {

std::string path_of(const std::string& name) {
    return "/proc/sys/" + name;
}

}  // namespace

std::optional<std::string> read_setting(const std::string& name) {
    std::ifstream file(path_of(name));
    std::string value;
    return file >> value ? std::optional(value) : std::nullopt;
}

Settings read_settings(const Settings& wanted, const ChangedSettings& changed) {
    Settings actual;
    const auto read = [&](const auto& settings) {
        for (const auto& [name, ignored] : settings) {
            if (const auto value = read_setting(name)) {
                actual[name] = *value;
            }
        }
    };
    read(wanted);
    read(changed);
    return actual;
}

void write_setting(const std::string& name, const std::string& value) {
    errno = 0;
    std::ofstream file(path_of(name));
    if (!(file << value << std::flush)) {
        throw CannotGoOn{fmt::format("cannot set {} to {}: {}", path_of(name), value, std::strerror(errno))};
    }
}

}  // namespace statnat
