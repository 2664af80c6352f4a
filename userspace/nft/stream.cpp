// SPDX-License-Identifier: GPL-2.0-or-later
#include "stream.hpp"

#include <cerrno>
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

}  // namespace statnat
