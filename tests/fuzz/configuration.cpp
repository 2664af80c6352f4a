// SPDX-License-Identifier: GPL-2.0-or-later
// Any configuration and any file of pairs: the input up to its first zero byte, and what comes after it.
#include "config/configuration_files.hpp"

#include "folder.hpp"

#include <algorithm>
#include <cstdint>

using namespace statnat;

namespace {

std::size_t lines(std::string_view text) {
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) + 1;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const Folder folder;
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    const std::string_view configuration = input.substr(0, input.find('\0'));
    const std::string_view pairs = input.substr(std::min(configuration.size() + 1, size));
    if (!stays_in_folder(configuration)) {
        return -1;
    }
    const fs::path file = folder.write("statnat.toml", configuration);
    const fs::path pairs_file = folder.write("pairs.csv", pairs);
    try {
        read_configuration(file);
    } catch (const InvalidConfiguration& invalid) {
        demand(!invalid.errors.empty());
        const ConfigurationError& first = invalid.errors.front();
        demand(!first.sentence.empty() && (first.file == file || first.file == pairs_file));
        demand(first.line <= lines(first.file == file ? configuration : pairs));
    }
    return 0;
}
