// SPDX-License-Identifier: GPL-2.0-or-later
// Files: read as a whole or in passing, and replaced at once or not at all.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include <sys/types.h>

namespace statnat {

// Both throw std::system_error. The file may be a pipe.
std::string read_file(const std::filesystem::path& path);
// Calls `visit` with some whole lines after others; the last one may lack its end.
void read_lines(const std::filesystem::path& path, const std::function<void(std::string_view)>& visit);

// A file beside the one to be replaced, which goes away unless it takes its place. Throws CannotGoOn.
class Replacement {
public:
    explicit Replacement(std::filesystem::path target);
    ~Replacement();
    Replacement(const Replacement&) = delete;
    Replacement& operator=(const Replacement&) = delete;

    void write(std::string_view text);
    void take_place();

private:
    mode_t mode() const;

    std::filesystem::path target_;
    std::string name_;
    int descriptor_;
};

}  // namespace statnat
