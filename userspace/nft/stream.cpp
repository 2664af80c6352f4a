// SPDX-License-Identifier: GPL-2.0-or-later
#include "nft/stream.hpp"

#include "error.hpp"

#include <cerrno>
#include <cstring>
#include <new>
#include <string>

#include <sys/mman.h>
#include <unistd.h>

namespace statnat {

namespace {

ssize_t write_to(void* take, const char* text, std::size_t size) noexcept {
    try {
        (*static_cast<std::function<void(std::string_view)>*>(take))({text, size});
        return static_cast<ssize_t>(size);
    } catch (...) {
        errno = ENOMEM;
        return 0;  // what fopencookie(3) asks for in an error
    }
}

}  // namespace

Stream::Stream(std::function<void(std::string_view)> take)
    : take_(std::make_unique<std::function<void(std::string_view)>>(std::move(take))) {
    cookie_io_functions_t functions{};
    functions.write = write_to;
    file_.reset(::fopencookie(take_.get(), "w", functions));
    if (!file_) {
        throw std::bad_alloc();
    }
}

int text_file(std::string_view text) {
    const int file = ::memfd_create("statnat-nft", MFD_CLOEXEC);
    for (std::size_t done = 0; file >= 0 && done < text.size();) {
        const ssize_t size = ::write(file, text.data() + done, text.size() - done);
        if (size < 0 && errno != EINTR) {
            throw CannotGoOn{std::string("cannot keep a text in memory: ") + std::strerror(errno)};
        }
        done += size < 0 ? 0 : static_cast<std::size_t>(size);
    }
    if (file < 0 || ::lseek(file, 0, SEEK_SET) != 0) {
        throw CannotGoOn{std::string("cannot keep a text in memory: ") + std::strerror(errno)};
    }
    return file;
}

std::FILE* open_text(std::string_view text) {
    return ::fdopen(text_file(text), "r");
}

}  // namespace statnat
