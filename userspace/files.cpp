// SPDX-License-Identifier: GPL-2.0-or-later
#include "files.hpp"

#include "error.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <system_error>

#include <fcntl.h>
#include <glob.h>
#include <sys/stat.h>
#include <unistd.h>

namespace statnat {

namespace {

struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
};

std::string system_error(const std::string& what) {
    return what + ": " + std::strerror(errno);
}

void write_all(int descriptor, std::string_view text, const std::string& name) {
    while (!text.empty()) {
        const ssize_t size = ::write(descriptor, text.data(), text.size());
        if (size < 0 && errno != EINTR) {
            throw CannotGoOn{system_error("cannot write " + name)};
        }
        text.remove_prefix(size < 0 ? 0 : static_cast<std::size_t>(size));
    }
}

class Opened {
public:
    explicit Opened(const std::filesystem::path& path)
        : descriptor_(::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY)) {
        if (descriptor_ < 0) {
            throw CannotGoOn{system_error("cannot write " + path.string())};
        }
    }
    ~Opened() { ::close(descriptor_); }
    Opened(const Opened&) = delete;
    Opened& operator=(const Opened&) = delete;

    int descriptor() const { return descriptor_; }

private:
    int descriptor_;
};

// Where links lead, also where nothing is there yet; not for those that lead nowhere else but to each other.
std::filesystem::path without_links(std::filesystem::path path) {
    std::error_code ignored;
    while (std::filesystem::is_symlink(path, ignored)) {
        path = path.parent_path() / std::filesystem::read_symlink(path, ignored);
    }
    return path;
}

// A text in which nothing is a pattern.
std::string taken_literally(std::string_view text) {
    std::string escaped;
    for (const char c : text) {
        escaped += std::string_view("*?[]\\").find(c) == std::string_view::npos ? "" : "\\";
        escaped += c;
    }
    return escaped;
}

// What the name of a file ends in that is to take another's place, before the six letters of mkstemp().
constexpr std::string_view unfinished = ".statnat-";
constexpr std::size_t unfinished_letters = 6;

std::string hidden_name_beside(const std::filesystem::path& target) {
    const std::string name = "." + target.filename().string() + std::string(unfinished);
    return (target.parent_path() / (name + std::string(unfinished_letters, 'X'))).string();
}

bool is_unfinished(std::string_view name, std::string_view beginning) {
    const std::size_t end = unfinished.size() + unfinished_letters;
    return name.size() > end && name.front() == '.' && name.substr(1).starts_with(beginning) &&
           name.substr(name.size() - end).starts_with(unfinished);
}

bool is_standard_output(const struct stat& status) {
    struct stat output {};
    return ::fstat(STDOUT_FILENO, &output) == 0 && output.st_dev == status.st_dev && output.st_ino == status.st_ino;
}

}  // namespace

std::string read_file(const std::filesystem::path& path) {
    std::string text;
    read_lines(path, [&](std::string_view lines) { text += lines; });
    return text;
}

void read_lines(const std::filesystem::path& path, const std::function<void(std::string_view)>& visit) {
    const std::unique_ptr<std::FILE, Close> file{std::fopen(path.c_str(), "re")};
    if (!file) {
        throw std::system_error(errno, std::generic_category());
    }
    std::string buffer(256 * 1024, '\0');
    std::size_t size = 0;
    while (const std::size_t more = std::fread(buffer.data() + size, 1, buffer.size() - size, file.get())) {
        size += more;
        const std::size_t end = std::string_view(buffer.data(), size).rfind('\n') + 1;
        if (end > 0) {
            visit({buffer.data(), end});
            std::copy(buffer.begin() + static_cast<std::ptrdiff_t>(end),
                      buffer.begin() + static_cast<std::ptrdiff_t>(size), buffer.begin());
            size -= end;
        } else if (size == buffer.size()) {
            buffer.resize(2 * size);
        }
    }
    if (std::ferror(file.get()) != 0) {
        throw std::system_error(errno, std::generic_category());
    }
    if (size > 0) {
        visit({buffer.data(), size});
    }
}

std::string read_input(const std::filesystem::path& path) {
    constexpr std::size_t most = std::size_t{1} << 28;  // far more than a million pairs, and a device has no end
    const bool is_standard = path == standard_input;
    const std::unique_ptr<std::FILE, Close> file{is_standard ? ::fdopen(::dup(STDIN_FILENO), "r")
                                                             : std::fopen(path.c_str(), "re")};
    if (!file) {
        throw std::system_error(errno, std::generic_category());
    }
    std::string text;
    std::string buffer(256 * 1024, '\0');
    while (const std::size_t size = std::fread(buffer.data(), 1, buffer.size(), file.get())) {
        text.append(buffer, 0, size);
        if (text.size() > most) {
            throw CannotGoOn{path.string() + ": more than 256 MiB: legal is less", exit_usage};
        }
    }
    if (std::ferror(file.get()) != 0) {
        throw std::system_error(errno, std::generic_category());
    }
    return text;
}

std::vector<std::filesystem::path> matching_files(const std::filesystem::path& directory, const std::string& pattern) {
    const bool relative = !directory.empty() && !pattern.starts_with('/');
    const std::string full = (relative ? taken_literally(directory.string() + "/") : "") + pattern;

    glob_t result{};
    const std::unique_ptr<glob_t, decltype(&globfree)> cleanup{&result, globfree};
    errno = 0;
    const int status = glob(full.c_str(), GLOB_ERR, nullptr, &result);
    if (status == GLOB_NOSPACE) {
        throw std::bad_alloc();
    }
    if (status != 0) {
        // What glob() does not find it may have had no right to find.
        if (errno != 0 && errno != ENOENT && errno != ENOTDIR) {
            throw std::system_error(errno, std::generic_category());
        }
        return {};
    }
    std::vector<std::filesystem::path> paths(result.gl_pathv, result.gl_pathv + result.gl_pathc);
    std::sort(paths.begin(), paths.end());
    return paths;
}

void put_text(const std::filesystem::path& path, std::string_view text) {
    if (path.empty()) {
        throw CannotGoOn{"the name of a file is empty", exit_usage};
    }
    struct stat status {};
    const bool exists = ::stat(path.c_str(), &status) == 0;
    if (!exists && errno != ENOENT) {
        throw CannotGoOn{system_error("cannot write " + path.string())};
    }
    if (exists && is_standard_output(status)) {  // by another name, such as /dev/stdout
        write_all(STDOUT_FILENO, text, path.string());
    } else if (exists && !S_ISREG(status.st_mode)) {
        write_all(Opened(path).descriptor(), text, path.string());
    } else {
        const std::filesystem::path target = without_links(path);
        Replacement replacement(target);
        replacement.write(text);
        if (exists) {
            replacement.take_over_owner_and_mode(status);
        }
        replacement.take_place();
        remove_leftovers(target.parent_path(), target.filename().string() + std::string(unfinished));
    }
}

Replacement::Replacement(std::filesystem::path target)
    : target_(std::move(target)), name_(hidden_name_beside(target_)), descriptor_(::mkstemp(name_.data())) {
    if (descriptor_ < 0) {
        throw CannotGoOn{system_error("cannot write beside " + target_.string())};
    }
}

Replacement::~Replacement() {
    ::close(descriptor_);
    if (!name_.empty()) {
        ::unlink(name_.c_str());
    }
}

void Replacement::write(std::string_view text) {
    write_all(descriptor_, text, target_.string());
}

void Replacement::take_over_owner_and_mode(const struct stat& old) {
    // Who may not give files away, such as our unit, does not have to where it has this one already.
    struct stat now {};
    const bool is_its = ::fstat(descriptor_, &now) == 0 && now.st_uid == old.st_uid && now.st_gid == old.st_gid;
    if ((!is_its && ::fchown(descriptor_, old.st_uid, old.st_gid) != 0) ||
        ::fchmod(descriptor_, old.st_mode & 07777) != 0) {
        throw CannotGoOn{
            system_error("cannot give the new " + target_.string() + " the owner and mode of the old one")};
    }
}

void Replacement::take_place() {
    if (::fsync(descriptor_) != 0 || ::rename(name_.c_str(), target_.c_str()) != 0) {
        throw CannotGoOn{system_error("cannot replace " + target_.string())};
    }
    name_.clear();
}

// A clock that was set back meanwhile makes it younger than new: that is as old.
void remove_leftovers(const std::filesystem::path& directory, std::string_view beginning) {
    namespace fs = std::filesystem;
    constexpr std::chrono::minutes longest_writing{1};
    std::error_code ignored;
    for (const fs::directory_entry& entry : fs::directory_iterator(directory.empty() ? "." : directory, ignored)) {
        if (!is_unfinished(entry.path().filename().string(), beginning)) {
            continue;
        }
        const auto age = fs::file_time_type::clock::now() - entry.last_write_time(ignored);
        if (age > longest_writing || age < -longest_writing) {
            fs::remove(entry.path(), ignored);
        }
    }
}

}  // namespace statnat
