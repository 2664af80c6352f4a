// SPDX-License-Identifier: GPL-2.0-or-later
// Where a fuzzer puts the files that it has read.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include <unistd.h>

namespace fs = std::filesystem;

inline void demand(bool condition) {
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

    const fs::path& path() const { return path_; }

    fs::path write(const char* name, std::string_view text) const {
        std::ofstream(path_ / name, std::ios::binary) << text;
        return path_ / name;
    }

private:
    fs::path path_;
};

// A pattern of files could lead out of the folder, to devices that never end.
inline bool stays_in_folder(std::string_view configuration) {
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
