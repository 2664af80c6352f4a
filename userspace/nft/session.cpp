// SPDX-License-Identifier: GPL-2.0-or-later
// Texts go in with stand-ins; batches, answers, output and errors come by on their way.
#include "session.hpp"

#include "error.hpp"
#include "report.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <new>
#include <optional>
#include <utility>
#include <vector>

#include <nftables/libnftables.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace statnat {

namespace {

constexpr const char* standard_input = "/dev/stdin";
constexpr std::size_t longest_pending = 64 * 1024;
constexpr std::size_t longest_stand_in = 64;  // as libnftables writes it

std::string read_all(int descriptor) {
    std::string text;
    std::array<char, 64 * 1024> part{};
    while (true) {
        const ssize_t size = ::read(descriptor, part.data(), part.size());
        if (size > 0) {
            text.append(part.data(), static_cast<std::size_t>(size));
        } else if (size == 0 || errno != EINTR) {
            return text;
        }
    }
}

class Mapped {
public:
    Mapped(int descriptor, std::size_t size) : size_(size) {
        void* const data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor, 0);
        data_ = data == MAP_FAILED ? nullptr : data;
    }
    ~Mapped() {
        if (data_) {
            ::munmap(data_, size_);
        }
    }
    Mapped(const Mapped&) = delete;
    Mapped& operator=(const Mapped&) = delete;

    std::string_view text() const { return data_ ? std::string_view(static_cast<char*>(data_), size_) : ""; }

private:
    void* data_ = nullptr;
    std::size_t size_;
};

// A file without a name; fmemopen(3) gives a stream that is much slower to read.
int memory_file(std::string_view text) {
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

// A batch is one datagram, so the send buffer must hold all of it; libnftables has made room for what it wrote.
void make_room(int socket, std::size_t size) {
    int room = 0;
    socklen_t room_size = sizeof room;
    if (::getsockopt(socket, SOL_SOCKET, SO_SNDBUF, &room, &room_size) != 0 || static_cast<std::size_t>(room) > size) {
        return;
    }
    const int wanted = static_cast<int>(std::min<std::size_t>(size + size / 8, INT_MAX / 2));
    ::setsockopt(socket, SOL_SOCKET, SO_SNDBUFFORCE, &wanted, sizeof wanted);
}

}  // namespace

void Session::Freed::operator()(nft_ctx* context) const {
    nft_ctx_free(context);
}

Session::Session(Sink output, Sink errors)
    : output_(std::move(output)),
      errors_(std::move(errors)),
      output_stream_([this](std::string_view text) { take_output(text); }),
      error_stream_([this](std::string_view text) { take_errors(text); }),
      context_(nft_ctx_new(NFT_CTX_DEFAULT)) {
    // So that warnings about a table come before the table.
    std::setvbuf(error_stream_.file(), nullptr, _IONBF, 0);
    nft_ctx_set_output(context(), output_stream_.file());
    nft_ctx_set_error(context(), error_stream_.file());
    interpose(this);
}

Session::~Session() {
    interpose(nullptr);
}

int Session::run(const std::string& commands) {
    auto document = with_stand_ins(command_line_name, commands, stand_ins_);
    if (!document) {
        return finish(nft_run_cmd_from_buffer(context(), commands.c_str()));
    }
    documents_.push_back(std::move(*document));
    return finish(nft_run_cmd_from_buffer(context(), documents_.back().text.c_str()));
}

int Session::run_file(const std::string& name) {
    const bool json = nft_ctx_output_get_flags(context()) & NFT_CTX_OUTPUT_JSON;
    if ((name == "-" || name == standard_input) && !json) {
        substitute_stdin();  // libnftables reads it by itself; JSON it reads as a file
    }
    return finish(nft_run_cmd_from_filename(context(), name.c_str()));
}

int Session::finish(int status) {
    std::fflush(output_stream_.file());
    flush_output();
    flush_errors();
    documents_.clear();
    return status;
}

void Session::substitute_stdin() {
    const std::string original = read_all(STDIN_FILENO);
    auto document = with_stand_ins(standard_input, original, stand_ins_);
    const int file = memory_file(document ? document->text : original);
    ::dup2(file, STDIN_FILENO);
    ::close(file);
    if (document) {
        documents_.push_back(std::move(*document));
    }
}

std::FILE* Session::opened(const char* path, std::FILE* file) {
    struct stat status {};
    if (::fstat(::fileno(file), &status) != 0 || S_ISDIR(status.st_mode)) {
        return file;
    }
    std::optional<Document> document;
    if (S_ISREG(status.st_mode)) {
        const Mapped mapped(::fileno(file), static_cast<std::size_t>(status.st_size));
        document = with_stand_ins(path, mapped.text(), stand_ins_);
        if (!document) {
            return file;
        }
    } else {  // can be read only once
        std::string original = read_all(::fileno(file));
        document = with_stand_ins(path, original, stand_ins_);
        if (!document) {
            document = Document{path, {}, std::move(original), {}};
        }
    }
    std::fclose(file);
    documents_.push_back(std::move(*document));
    return ::fdopen(memory_file(documents_.back().text), "r");
}

ssize_t Session::send(int socket, const msghdr& message) {
    rewriter_.start_batch();
    const std::span<iovec> pages(message.msg_iov, message.msg_iovlen);
    std::vector<iovec> rewritten(pages.begin(), pages.end());
    std::vector<Bytes> kept;
    std::size_t size = 0;
    for (iovec& page : rewritten) {
        if (auto bytes = rewriter_.to_kernel({static_cast<const std::uint8_t*>(page.iov_base), page.iov_len})) {
            kept.push_back(std::move(*bytes));
            page = {kept.back().data(), kept.back().size()};
        }
        size += page.iov_len;
    }
    if (kept.empty()) {
        return send_really(socket, message);
    }
    make_room(socket, size);
    msghdr other = message;
    other.msg_iov = rewritten.data();
    return send_really(socket, other);
}

std::size_t Session::received(std::span<std::uint8_t> datagram) {
    return rewriter_.from_kernel(datagram);
}

// libnftables writes word by word.
void Session::take_output(std::string_view text) {
    if (!pending_errors_.empty()) {
        flush_errors();
    }
    pending_output_.append(text);
    std::size_t ready = 0;
    if (text.find('\n') != std::string_view::npos) {
        ready = pending_output_.rfind('\n') + 1;
    } else if (pending_output_.size() > longest_pending) {
        ready = pending_output_.size() - longest_stand_in;
    }
    if (ready != 0) {
        output_(stand_ins_.restored(std::string_view(pending_output_).substr(0, ready)));
        pending_output_.erase(0, ready);
    }
}

void Session::take_errors(std::string_view text) {
    pending_errors_.append(text);
}

void Session::flush_output() {
    if (!pending_output_.empty()) {
        output_(stand_ins_.restored(std::exchange(pending_output_, {})));
    }
}

void Session::flush_errors() {
    if (!pending_errors_.empty()) {
        errors_(in_terms_of_the_user(std::exchange(pending_errors_, {}), documents_, stand_ins_, rewriter_));
    }
}

}  // namespace statnat
