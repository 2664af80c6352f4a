// SPDX-License-Identifier: GPL-2.0-or-later
// The seam between libnftables and the system. libnftables calls fopen(3), sendmsg(2), mnl_socket_sendto(3) and
// mnl_socket_recvfrom(3) through the dynamic linker, which finds the definitions of this program first.
#pragma once

#include "message.hpp"

#include <cstdint>
#include <cstdio>
#include <span>

#include <sys/types.h>

struct msghdr;

namespace statnat {

// Who is asked while there is one; what a function throws becomes the errno EINVAL, or ENOMEM.
class Interposed {
public:
    virtual ~Interposed() = default;

    // A file was opened for reading: it, or what to read in its place.
    virtual std::FILE* opened(const char* path, std::FILE* file) = 0;
    // As sendmsg(2).
    virtual ssize_t send(int socket, const msghdr& message) = 0;
    // A request was made that is no batch.
    virtual void asked(Message question) = 0;
    // A datagram came; returns its size after it was rewritten in place.
    virtual std::size_t received(std::span<std::uint8_t> datagram) = 0;
};

// From now on `interposed` is asked; null ends it.
void interpose(Interposed* interposed);

// The system's own.
ssize_t send_really(int socket, const msghdr& message);

}  // namespace statnat
