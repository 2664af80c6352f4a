// SPDX-License-Identifier: GPL-2.0-or-later
// A line that says of what, and for each map a line and its rows as they lie in memory: the file never leaves this
// machine, nor outlives its boot.
#include "netlink/state_file.hpp"

#include "error.hpp"
#include "files.hpp"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <span>
#include <sstream>
#include <system_error>
#include <vector>

#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

namespace statnat {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view prefix = "netns-";

// Network namespaces go without a word, and leave their files behind.
constexpr std::size_t most_files = 16;

std::string_view keyword(bool comments) {
    return comments ? "commented" : "plain";
}

std::string_view as_text(std::span<const std::uint8_t> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Nobody else can have written what is there.
bool is_ours_alone(const fs::path& path, mode_t kind) {
    struct stat status{};
    return ::lstat(path.c_str(), &status) == 0 && (status.st_mode & S_IFMT) == kind && status.st_uid == ::geteuid() &&
           (status.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

// A file that is not as we write it.
struct Odd {};

std::string take(std::istream& file, std::size_t size) {
    std::string bytes(size, '\0');
    if (!file.read(bytes.data(), static_cast<std::streamsize>(size))) {
        throw Odd{};
    }
    return bytes;
}

void write_map(Replacement& file, Family family, const Map& map) {
    const Elements& elements = map.elements;
    std::ostringstream line;
    line << static_cast<int>(family) << ' ' << map.name << ' ' << elements.size() << ' '
         << keyword(elements.has_comments()) << '\n';
    file.write(line.str());
    file.write(as_text(elements.rows()));
    for (std::size_t i = 0; i < elements.size() && elements.has_comments(); ++i) {
        const std::string& comment = elements.comment(i).text();
        file.write(std::string(1, static_cast<char>(comment.size())) + comment);
    }
}

void take_map(std::istream& file, const std::string& header, std::uintmax_t most, StateFile::Contents& contents) {
    std::istringstream line(header);
    int family = 0;
    std::string name;
    std::size_t size = 0;
    std::string kind;
    line >> family >> name >> size >> kind;
    const bool comments = kind == keyword(true);
    if (!line || (family != 0 && family != 1) || (!comments && kind != keyword(false))) {
        throw Odd{};
    }
    const auto of = static_cast<Family>(family);
    if (size > most / Elements::row_size(of)) {
        throw Odd{};
    }
    Elements elements = Elements::of_rows(of, size, [&](std::span<std::uint8_t> rows) {
        file.read(reinterpret_cast<char*>(rows.data()), static_cast<std::streamsize>(rows.size()));
    });
    for (std::size_t i = 0; i < size && comments; ++i) {
        const auto length = static_cast<unsigned char>(take(file, 1).front());
        elements.set_comment(i, take(file, length));
    }
    if (!file || !elements.is_ascending()) {
        throw Odd{};
    }
    contents.emplace(std::pair(of, name), std::move(elements));
}

// A writer that was killed leaves a file beside the one that it meant to replace.
void tidy(const fs::path& directory) {
    constexpr std::chrono::minutes longest_writing{1};
    std::vector<std::pair<fs::file_time_type, fs::path>> files;
    std::error_code ignored;
    for (const fs::directory_entry& entry : fs::directory_iterator(directory, ignored)) {
        const std::string name = entry.path().filename().string();
        const fs::file_time_type written = entry.last_write_time(ignored);
        if (!name.starts_with(prefix)) {
            continue;
        }
        if (name.find('.') == std::string::npos) {
            files.emplace_back(written, entry.path());
        } else if (written + longest_writing < fs::file_time_type::clock::now()) {
            fs::remove(entry.path(), ignored);
        }
    }
    std::sort(files.begin(), files.end());
    for (std::size_t i = 0; i + most_files < files.size(); ++i) {
        fs::remove(files[i].second, ignored);
    }
}

}  // namespace

StateFile::StateFile(const fs::path& directory, std::uint64_t cookie, std::string_view boot)
    : path_(directory / (std::string(prefix) + std::to_string(cookie))),
      identity_("statnat 1, network namespace " + std::to_string(cookie) + ", boot " + std::string(boot) +
                ", generation ") {}

std::optional<StateFile::Contents> StateFile::recall(std::uint32_t generation) const {
    if (path_.empty() || !is_ours_alone(path_.parent_path(), S_IFDIR) || !is_ours_alone(path_, S_IFREG)) {
        return std::nullopt;
    }
    std::error_code ignored;
    std::ifstream file(path_, std::ios::binary);
    std::string line;
    if (!std::getline(file, line) || line != identity_ + std::to_string(generation)) {
        return std::nullopt;
    }
    try {
        Contents contents;
        while (std::getline(file, line)) {
            take_map(file, line, fs::file_size(path_, ignored), contents);
        }
        return contents;
    } catch (const Odd&) {
        spdlog::debug("{} is not as we write it", path_.string());
        return std::nullopt;
    }
}

void StateFile::forget() const {
    std::error_code ignored;
    fs::remove(path_, ignored);
}

void StateFile::keep(std::uint32_t generation, const Ruleset& ruleset) const {
    if (path_.empty()) {
        return;
    }
    if (ruleset.empty()) {
        forget();
        return;
    }
    const fs::path directory = path_.parent_path();
    ::mkdir(directory.c_str(), 0700);
    try {
        Replacement file(path_);
        file.write(identity_ + std::to_string(generation) + "\n");
        for (const Table& table : ruleset) {
            for (const Map& map : table.maps) {
                if (!map.foreign) {
                    write_map(file, table.family, map);
                }
            }
        }
        file.take_place();
        tidy(directory);
    } catch (const CannotGoOn& failure) {
        spdlog::debug("{}", failure.sentence);
    }
}

}  // namespace statnat
