// SPDX-License-Identifier: GPL-2.0-or-later
#include "stream.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>

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

struct Reading {
    std::string_view text;
    std::size_t at = 0;
};

ssize_t read_from(void* cookie, char* buffer, std::size_t size) noexcept {
    Reading& reading = *static_cast<Reading*>(cookie);
    const std::size_t taken = std::min(size, reading.text.size() - reading.at);
    std::memcpy(buffer, reading.text.data() + reading.at, taken);
    reading.at += taken;
    return static_cast<ssize_t>(taken);
}

int seek_in(void* cookie, off64_t* offset, int whence) noexcept {
    Reading& reading = *static_cast<Reading*>(cookie);
    const std::size_t from = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? reading.at : reading.text.size();
    const off64_t wanted = static_cast<off64_t>(from) + *offset;
    if (wanted < 0 || static_cast<std::size_t>(wanted) > reading.text.size()) {
        errno = EINVAL;
        return -1;
    }
    reading.at = static_cast<std::size_t>(wanted);
    *offset = wanted;
    return 0;
}

int close_reading(void* cookie) noexcept {
    delete static_cast<Reading*>(cookie);
    return 0;
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

std::FILE* open_text(std::string_view text) {
    auto reading = std::make_unique<Reading>(Reading{text});
    cookie_io_functions_t functions{};
    functions.read = read_from;
    functions.seek = seek_in;
    functions.close = close_reading;
    std::FILE* const file = ::fopencookie(reading.get(), "r", functions);
    if (file) {
        reading.release();  // close_reading() has it now
    }
    return file;
}

}  // namespace statnat
