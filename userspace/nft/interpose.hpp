// SPDX-License-Identifier: GPL-2.0-or-later
// The seam between libnftables and the system. libnftables calls fopen(3), sendmsg(2), mnl_socket_sendto(3) and
// mnl_socket_recvfrom(3) through the dynamic linker, which finds the definitions of this program first.
#pragma once

#include "wire/message.hpp"

#include <cstdint>
#include <cstdio>
#include <span>

#include <sys/types.h>

struct mnl_socket;
struct msghdr;

namespace statnat {

// What is behind libnftables: the kernel, or what stands in its place. Each is as the function that it is named after,
// sendmsg(2), mnl_socket_sendto(3) or mnl_socket_recvfrom(3).
class System {
public:
    virtual ~System() = default;

    virtual ssize_t send(int socket, const msghdr& batch) = 0;
    virtual ssize_t ask(const mnl_socket* socket, Message question) = 0;
    virtual ssize_t receive(const mnl_socket* socket, std::span<std::uint8_t> buffer) = 0;
};

// The functions that the dynamic linker would have found without this program.
System& real_system();

// Who is asked in place of the system while there is one; what a function throws becomes the errno EINVAL, or ENOMEM.
class Interposed : public System {
public:
    // A file was opened for reading: it, or what to read in its place.
    virtual std::FILE* opened(const char* path, std::FILE* file) = 0;
};

// From now on `interposed` is asked; null ends it. Returns who was asked before.
Interposed* interpose(Interposed* interposed);

}  // namespace statnat
