// SPDX-License-Identifier: GPL-2.0-or-later
#include "files.hpp"

#include "error.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <system_error>

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

Replacement::Replacement(std::filesystem::path target)
    : target_(std::move(target)), name_(target_.string() + ".XXXXXX"), descriptor_(::mkstemp(name_.data())) {
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
    while (!text.empty()) {
        const ssize_t size = ::write(descriptor_, text.data(), text.size());
        if (size < 0 && errno != EINTR) {
            throw CannotGoOn{system_error("cannot write " + name_)};
        }
        text.remove_prefix(size < 0 ? 0 : static_cast<std::size_t>(size));
    }
}

void Replacement::take_place() {
    if (::fchmod(descriptor_, mode()) != 0 || ::fsync(descriptor_) != 0 ||
        ::rename(name_.c_str(), target_.c_str()) != 0) {
        throw CannotGoOn{system_error("cannot replace " + target_.string())};
    }
    name_.clear();
}

// That of the old file; a new one is for root alone, since a ruleset tells what is open.
mode_t Replacement::mode() const {
    struct stat old {};
    return ::stat(target_.c_str(), &old) == 0 ? old.st_mode & 07777 : 0600;
}

}  // namespace statnat
