// SPDX-License-Identifier: GPL-2.0-or-later
#include "journal.hpp"

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace statnat {
namespace {

// A descriptor that is closed in the end.
class Descriptor {
public:
    explicit Descriptor(int number) : number_(number) {}
    ~Descriptor() {
        if (number_ >= 0) {
            ::close(number_);
        }
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;

    int number() const { return number_; }

private:
    int number_;
};

bool write_all(int descriptor, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            return false;
        }
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

// The datagram itself is empty then.
bool send_as_file(int socket, msghdr message, std::string_view bytes) {
    const Descriptor file(::memfd_create("statnat-journal", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    constexpr int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;
    if (file.number() < 0 || !write_all(file.number(), bytes) || ::fcntl(file.number(), F_ADD_SEALS, seals) < 0) {
        return false;
    }
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    message.msg_iov = nullptr;
    message.msg_iovlen = 0;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* const rights = CMSG_FIRSTHDR(&message);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof(int));
    const int number = file.number();
    std::memcpy(CMSG_DATA(rights), &number, sizeof number);
    return ::sendmsg(socket, &message, MSG_NOSIGNAL) >= 0;
}

}  // namespace

std::string journal_entry(const Fields& fields) {
    std::string entry;
    for (const auto& [name, value] : fields) {
        entry += name;
        if (value.find('\n') == std::string::npos) {
            entry += '=';
        } else {
            entry += '\n';
            for (std::uint64_t size = value.size(), byte = 0; byte < sizeof size; ++byte) {
                entry += static_cast<char>(size >> (8 * byte) & 0xff);
            }
        }
        entry += value;
        entry += '\n';
    }
    return entry;
}

bool Journal::is_behind(int descriptor) {
    const char* const stream = std::getenv("JOURNAL_STREAM");
    struct stat file {};
    return stream && ::fstat(descriptor, &file) == 0 && fmt::format("{}:{}", file.st_dev, file.st_ino) == stream;
}

bool Journal::send(const Fields& fields) const {
    sockaddr_un to{};
    if (socket_.size() >= sizeof to.sun_path) {
        return false;
    }
    to.sun_family = AF_UNIX;
    std::memcpy(to.sun_path, socket_.data(), socket_.size());
    const Descriptor socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    std::string entry = journal_entry(fields);
    iovec bytes{entry.data(), entry.size()};
    msghdr message{};
    message.msg_name = &to;
    message.msg_namelen = sizeof to;
    message.msg_iov = &bytes;
    message.msg_iovlen = 1;
    if (socket.number() < 0) {
        return false;
    }
    if (::sendmsg(socket.number(), &message, MSG_NOSIGNAL) >= 0) {
        return true;
    }
    return (errno == EMSGSIZE || errno == ENOBUFS) && send_as_file(socket.number(), message, entry);
}

}  // namespace statnat
