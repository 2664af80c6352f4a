// SPDX-License-Identifier: GPL-2.0-or-later
// NAME.toml names the file of its pairs, NAME-DIGEST.csv, which is there before it is named.
#include "records/last_good.hpp"

#include "config/configuration_text.hpp"
#include "files.hpp"

#include <functional>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/format.h>

namespace statnat {
namespace {

namespace fs = std::filesystem;

constexpr const char* configurations = "/etc/statnat";
constexpr const char* directory_of_all = "/var/lib/statnat";

// A million pairs are not written again for nothing.
void put_if_new(const fs::path& path, const std::string& text) {
    std::error_code ignored;
    if (fs::file_size(path, ignored) == text.size() && read_file(path) == text) {
        return;
    }
    put_text(path, text);
}

}  // namespace

LastGood::LastGood(fs::path directory, std::string name)
    : directory_(std::move(directory)), name_(std::move(name)), file_(directory_ / (name_ + ".toml")) {}

std::optional<LastGood> LastGood::of(const fs::path& configuration) {
    std::error_code ignored;
    if (configuration == standard_input ||
        fs::absolute(configuration, ignored).lexically_normal().parent_path() != configurations) {
        return std::nullopt;
    }
    return LastGood(directory_of_all, configuration.stem());
}

void LastGood::keep(const Configuration& configuration) const {
    fs::create_directories(directory_);
    const std::string pairs = pairs_as_csv(configuration);
    const std::string pairs_file = fmt::format("{}-{:016x}.csv", name_, std::hash<std::string_view>{}(pairs));
    put_if_new(directory_ / pairs_file, pairs);
    put_if_new(file_, settings_as_toml(configuration, pairs_file));
    for (const fs::path& old : matching_files(directory_, name_ + "-????????????????.csv")) {
        if (old.filename() != pairs_file) {
            fs::remove(old);
        }
    }
}

}  // namespace statnat
