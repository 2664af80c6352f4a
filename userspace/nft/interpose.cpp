// SPDX-License-Identifier: GPL-2.0-or-later
// The four functions, as C declares them, and the way past them.
#include "nft/interpose.hpp"

#include <cerrno>
#include <cstring>
#include <new>
#include <utility>

#include <dlfcn.h>
#include <sys/socket.h>

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

ssize_t send_really(int socket, const msghdr* message, int flags) {
    static const auto real = next<ssize_t(int, const msghdr*, int)>("sendmsg");
    return real(socket, message, flags);
}

class RealSystem final : public System {
public:
    ssize_t send(int socket, const msghdr& batch) override {
        for (const iovec& page : std::span(batch.msg_iov, batch.msg_iovlen)) {
            log(">", {static_cast<const std::uint8_t*>(page.iov_base), page.iov_len});
        }
        return send_really(socket, &batch, 0);
    }

    ssize_t ask(const mnl_socket* socket, Message question) override {
        static const auto real = next<ssize_t(const mnl_socket*, const void*, std::size_t)>("mnl_socket_sendto");
        log(">", question);
        return real(socket, question.data(), question.size());
    }

    ssize_t receive(const mnl_socket* socket, std::span<std::uint8_t> buffer) override {
        static const auto real = next<ssize_t(const mnl_socket*, void*, std::size_t)>("mnl_socket_recvfrom");
        const ssize_t received = real(socket, buffer.data(), buffer.size());
        if (received > 0) {
            log("<", buffer.first(static_cast<std::size_t>(received)));
        }
        return received;
    }
};

// Who answers libnftables now.
System& system_now() {
    return current ? *current : real_system();
}

}  // namespace

System& real_system() {
    static RealSystem system;
    return system;
}

Interposed* interpose(Interposed* interposed) {
    return std::exchange(current, interposed);
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
    if (!statnat::current || flags != 0) {
        return statnat::send_really(socket, message, flags);
    }
    return statnat::guarded([&] { return statnat::current->send(socket, *message); }, -1);
}

[[gnu::visibility("default")]] ssize_t mnl_socket_sendto(const mnl_socket* socket, const void* request,
                                                         std::size_t size) {
    const statnat::Message question(static_cast<const std::uint8_t*>(request), size);
    return statnat::guarded([&] { return statnat::system_now().ask(socket, question); }, -1);
}

[[gnu::visibility("default")]] ssize_t mnl_socket_recvfrom(const mnl_socket* socket, void* buffer, std::size_t size) {
    const std::span room(static_cast<std::uint8_t*>(buffer), size);
    return statnat::guarded([&] { return statnat::system_now().receive(socket, room); }, -1);
}
}
