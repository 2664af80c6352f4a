// SPDX-License-Identifier: GPL-2.0-or-later
// Any configuration and any file of pairs: the input up to its first zero byte, and what comes after it.
#include "config/configuration_files.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include <unistd.h>

using namespace statnat;

namespace {

namespace fs = std::filesystem;

void demand(bool condition) {
    if (!condition) {
        std::abort();
    }
}

// A folder for one file of each kind, which goes away in the end.
class Folder {
public:
    Folder() {
        std::string name = fs::temp_directory_path() / "statnat-fuzz-XXXXXX";
        demand(::mkdtemp(name.data()) != nullptr);
        path_ = name;
    }
    ~Folder() { fs::remove_all(path_); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;

    fs::path write(const char* name, std::string_view text) const {
        std::ofstream(path_ / name, std::ios::binary) << text;
        return path_ / name;
    }

private:
    fs::path path_;
};

// A pattern of files could lead out of the folder, to devices that never end.
bool stays_in_folder(std::string_view configuration) {
    if (configuration.find("\\u") != std::string_view::npos || configuration.find("\\U") != std::string_view::npos) {
        return false;
    }
    for (std::size_t at = configuration.find('/'); at != std::string_view::npos; at = configuration.find('/', at + 1)) {
        const std::string_view next = configuration.substr(at + 1, 1);
        if (next.find_first_of("0123456789") == std::string_view::npos) {
            return false;
        }
    }
    return true;
}

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
