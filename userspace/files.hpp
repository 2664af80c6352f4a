// SPDX-License-Identifier: GPL-2.0-or-later
// Files: read as a whole or in passing, written to, and replaced at once or not at all.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

struct stat;

namespace statnat {

// Both throw std::system_error. The file may be a pipe.
std::string read_file(const std::filesystem::path& path);
// Calls `visit` with some whole lines after others; the last one may lack its end.
void read_lines(const std::filesystem::path& path, const std::function<void(std::string_view)>& visit);

// The name that commands take for what comes from there.
inline constexpr const char* standard_input = "-";

// Reads standard input if `path` is its name. Throws std::system_error, or CannotGoOn where it does not end in time.
std::string read_input(const std::filesystem::path& path);

// The files that a shell pattern names, relative to a directory, sorted. Throws std::system_error where a directory
// cannot be looked into.
std::vector<std::filesystem::path> matching_files(const std::filesystem::path& directory, const std::string& pattern);

// Puts a text where a path leads, through links as well: a regular file is replaced as a whole or not at all, a new one
// is for its owner alone; what else is there, such as a device or a pipe, is written to. Throws CannotGoOn.
void put_text(const std::filesystem::path& path, std::string_view text);

// A file beside the one to be replaced, which goes away unless it takes its place. A link itself is replaced, not what
// it leads to. Throws CannotGoOn. It is hidden: whoever includes all files of a directory does not read half a one.
class Replacement {
public:
    explicit Replacement(std::filesystem::path target);
    ~Replacement();
    Replacement(const Replacement&) = delete;
    Replacement& operator=(const Replacement&) = delete;

    void write(std::string_view text);
    // Unless told otherwise it belongs to whoever runs this, and nobody else can read it.
    void take_over_owner_and_mode(const struct stat& old);
    void take_place();

private:
    std::filesystem::path target_;
    std::string name_;
    int descriptor_;
};

// Of files in a directory whose names begin so: what writers that were killed have left beside them, for a minute or
// more. A younger one may be of somebody who writes at this moment.
void remove_leftovers(const std::filesystem::path& directory, std::string_view beginning);

}  // namespace statnat
