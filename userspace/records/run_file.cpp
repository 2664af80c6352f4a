// SPDX-License-Identifier: GPL-2.0-or-later
#include "records/run_file.hpp"

#include "error.hpp"

#include <algorithm>
#include <charconv>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

namespace statnat {

namespace {

namespace fs = std::filesystem;

// Network namespaces go without a word, and leave their files behind.
constexpr std::size_t most_files = 16;

// Nobody else can have written what is there.
bool is_ours_alone(const fs::path& path, mode_t kind) {
    struct stat status{};
    return ::lstat(path.c_str(), &status) == 0 && (status.st_mode & S_IFMT) == kind && status.st_uid == ::geteuid() &&
           (status.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

}  // namespace

RunFile::RunFile(const RunDirectory& directory, std::string kind)
    : kind_(directory.instance.empty() ? std::move(kind) : fmt::format("@{}@{}", directory.instance, kind)),
      identity_(fmt::format("statnat 1, network namespace {}, boot {}, generation ", directory.cookie,
                            directory.boot)) {
    path_ = directory.path / fmt::format("{}-{}", kind_, directory.cookie);
}

std::optional<RunFile::Opened> RunFile::open() const {
    if (path_.empty() || !is_ours_alone(path_.parent_path(), S_IFDIR) || !is_ours_alone(path_, S_IFREG)) {
        return std::nullopt;
    }
    Opened opened{0, std::ifstream(path_, std::ios::binary)};
    std::string line;
    if (!std::getline(opened.rest, line) || !line.starts_with(identity_)) {
        return std::nullopt;
    }
    const char* digits = line.data() + identity_.size();
    const auto read = std::from_chars(digits, line.data() + line.size(), opened.generation);
    if (read.ec != std::errc() || read.ptr != line.data() + line.size()) {
        return std::nullopt;
    }
    return opened;
}

void RunFile::write(std::uint32_t generation, const std::function<void(Replacement&)>& write_rest) const {
    if (path_.empty()) {
        return;
    }
    ::mkdir(path_.parent_path().c_str(), 0700);
    try {
        Replacement file(path_);
        file.write(identity_ + std::to_string(generation) + "\n");
        write_rest(file);
        file.take_place();
        tidy();
    } catch (const CannotGoOn& failure) {
        spdlog::debug("{}", failure.sentence);
    }
}

std::optional<std::int64_t> RunFile::written_at() const {
    struct stat status{};
    if (!open() || ::stat(path_.c_str(), &status) != 0) {
        return std::nullopt;
    }
    return status.st_mtime;
}

void RunFile::remove() const {
    std::error_code ignored;
    fs::remove(path_, ignored);
}

void RunFile::tidy() const {
    remove_leftovers(path_.parent_path(), kind_ + "-");
    std::vector<std::pair<fs::file_time_type, fs::path>> files;
    std::error_code ignored;
    for (const fs::directory_entry& entry : fs::directory_iterator(path_.parent_path(), ignored)) {
        if (entry.path().filename().string().starts_with(kind_ + "-")) {
            files.emplace_back(entry.last_write_time(ignored), entry.path());
        }
    }
    std::sort(files.begin(), files.end());
    for (std::size_t i = 0; i + most_files < files.size(); ++i) {
        fs::remove(files[i].second, ignored);
    }
}

}  // namespace statnat
