// SPDX-License-Identifier: GPL-2.0-or-later
// The four functions, as C declares them, and the way past them.
#include "interpose.hpp"

#include "error.hpp"

#include <cerrno>
#include <cstring>
#include <new>

#include <dlfcn.h>
#include <sys/socket.h>

struct mnl_socket;

namespace statnat {

namespace {

Interposed* current = nullptr;  // C calls without a context, so this one cannot travel as an argument

template <typename Function>
Function* next(const char* name) {
    void* symbol = ::dlsym(RTLD_NEXT, name);
    Function* function = nullptr;
    std::memcpy(&function, &symbol, sizeof function);
    return function;
}

// C cannot catch: -1 and errno.
template <typename Work>
auto guarded(Work work, decltype(work()) failed) noexcept {
    try {
        return work();
    } catch (const std::bad_alloc&) {
        errno = ENOMEM;
    } catch (...) {
        errno = EINVAL;
    }
    return failed;
}

}  // namespace

void interpose(Interposed* interposed) {
    current = interposed;
}

ssize_t send_really(int socket, const msghdr& message) {
    static const auto real = next<ssize_t(int, const msghdr*, int)>("sendmsg");
    return real(socket, &message, 0);
}

}  // namespace statnat

extern "C" {

[[gnu::visibility("default")]] std::FILE* fopen(const char* path, const char* mode) {
    static const auto real = statnat::next<std::FILE*(const char*, const char*)>("fopen");
    std::FILE* file = real(path, mode);
    // libjansson says "rb".
    if (!file || !statnat::current || (std::strcmp(mode, "r") != 0 && std::strcmp(mode, "rb") != 0)) {
        return file;
    }
    return statnat::guarded([&] { return statnat::current->opened(path, file); }, nullptr);
}

[[gnu::visibility("default")]] ssize_t sendmsg(int socket, const msghdr* message, int flags) {
    static const auto real = statnat::next<ssize_t(int, const msghdr*, int)>("sendmsg");
    if (!statnat::current || flags != 0) {
        return real(socket, message, flags);
    }
    return statnat::guarded([&] { return statnat::current->send(socket, *message); }, -1);
}

[[gnu::visibility("default")]] ssize_t mnl_socket_sendto(const mnl_socket* socket, const void* request, std::size_t size) {
    static const auto real = statnat::next<ssize_t(const mnl_socket*, const void*, std::size_t)>("mnl_socket_sendto");
    if (statnat::current) {
        const statnat::Message question(static_cast<const std::uint8_t*>(request), size);
        statnat::guarded([&] { return statnat::current->asked(question), 0; }, 0);
    }
    return real(socket, request, size);
}

[[gnu::visibility("default")]] ssize_t mnl_socket_recvfrom(const mnl_socket* socket, void* buffer, std::size_t size) {
    static const auto real = statnat::next<ssize_t(const mnl_socket*, void*, std::size_t)>("mnl_socket_recvfrom");
    const ssize_t received = real(socket, buffer, size);
    if (received <= 0 || !statnat::current) {
        return received;
    }
    return statnat::guarded(
        [&] {
            return static_cast<ssize_t>(statnat::current->received(
                {static_cast<std::uint8_t*>(buffer), static_cast<std::size_t>(received)}));
        },
        -1);
}
}
