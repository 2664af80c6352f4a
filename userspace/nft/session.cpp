// SPDX-License-Identifier: GPL-2.0-or-later
// Texts go in with stand-ins; batches, answers, output and errors come by on their way.
#include "nft/session.hpp"

#include "nft/version.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <new>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nftables/libnftables.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace statnat {

namespace {

constexpr const char* standard_input_path = "/dev/stdin";

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

Session::Session(Sink output, Sink errors, System& system)
    : system_(system),
      before_(interpose(nullptr)),
      output_(stand_ins_, std::move(output)),
      errors_(documents_, stand_ins_, rewriter_, std::move(errors)),
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
    interpose(before_);
}

int Session::run(const std::string& commands) {
    const auto& document = documents_[std::string(command_line_name)] = with_stand_ins(commands, stand_ins_);
    return finish(nft_run_cmd_from_buffer(context(), document ? document->text.whole().c_str() : commands.c_str()));
}

int Session::run_file(const std::string& name) {
    const bool json = nft_ctx_output_get_flags(context()) & NFT_CTX_OUTPUT_JSON;
    if ((name == "-" || name == standard_input_path) && (!json || like_nft_1_1)) {
        substitute_stdin();  // libnftables reads it by itself; JSON it read as a file before 1.1
    }
    return finish(nft_run_cmd_from_filename(context(), name.c_str()));
}

int Session::finish(int status) {
    std::fflush(output_stream_.file());
    output_.flush();
    errors_.end();
    const bool batch_came_by = std::exchange(batch_came_by_, false);
    const int unheard = std::exchange(unheard_, 0);
    const bool lost = status == 0 && !batch_came_by && has_statements();
    documents_.clear();
    if (const auto refusal = std::exchange(refusal_, std::nullopt)) {
        throw *refusal;
    }
    if (lost) {
        throw CannotGoOn{"this libnftables sends rules in a way that is not known here: the kernel may now have log "
                         "statements in the place of snat_stateless"};
    }
    // libnftables takes what it cannot ask for as not being there.
    if (status == 0 && unheard != 0) {
        throw CannotGoOn{fmt::format("cannot ask the kernel for all of its ruleset: {}: what is listed is not all",
                                     std::strerror(unheard))};
    }
    if (output_.missed_one()) {
        throw CannotGoOn{"this libnftables writes rules with snat_stateless in a way that is not known here: the "
                         "output has log statements in their place, and must not be loaded"};
    }
    return status;
}

void Session::substitute_stdin() {
    const std::string original = read_all(STDIN_FILENO);
    const auto& document = documents_[standard_input_path] = with_stand_ins(original, stand_ins_);
    const int file = text_file(document ? document->text.whole() : original);
    ::dup2(file, STDIN_FILENO);
    ::close(file);
}

// libnftables opens a file once to read it, and once more for each error in it. What can be read only once it finds
// empty then.
std::FILE* Session::opened(const char* path, std::FILE* file) {
    struct stat status {};
    if (::fstat(::fileno(file), &status) != 0 || S_ISDIR(status.st_mode)) {
        return file;
    }
    auto known = documents_.find(path);
    if (known == documents_.end()) {
        known = documents_.emplace(path, read_document(::fileno(file), status)).first;
    } else if (!S_ISREG(status.st_mode)) {
        return file;
    }
    if (!known->second) {
        return file;
    }
    std::fclose(file);
    return open_text(known->second->text.whole());
}

std::optional<Document> Session::read_document(int descriptor, const struct stat& status) {
    if (S_ISREG(status.st_mode)) {
        const Mapped mapped(descriptor, static_cast<std::size_t>(status.st_size));
        return with_stand_ins(mapped.text(), stand_ins_);
    }
    const std::string original = read_all(descriptor);
    auto document = with_stand_ins(original, stand_ins_);
    return document ? std::move(document) : Document{Lines(original), Lines(original), {}};
}

bool Session::has_statements() const {
    return std::any_of(documents_.begin(), documents_.end(), [&](const auto& named) {
        return named.second && stand_ins_.in(named.second->text.whole());
    });
}

// What is thrown in here libnftables cannot pass on.
ssize_t Session::send(int socket, const msghdr& batch) {
    batch_came_by_ = true;
    try {
        return send_rewritten(socket, batch);
    } catch (const CannotGoOn& refusal) {
        refusal_ = refusal;
        throw;
    }
}

ssize_t Session::send_rewritten(int socket, const msghdr& batch) {
    rewriter_.start_batch();
    std::vector<iovec> pages(batch.msg_iov, batch.msg_iov + batch.msg_iovlen);
    std::vector<Bytes> kept;
    std::size_t size = 0;
    for (iovec& page : pages) {
        if (auto bytes = rewriter_.to_kernel({static_cast<const std::uint8_t*>(page.iov_base), page.iov_len})) {
            kept.push_back(std::move(*bytes));
            page = {kept.back().data(), kept.back().size()};
        }
        if (stand_ins_.in({static_cast<const char*>(page.iov_base), page.iov_len})) {
            throw CannotGoOn{"this libnftables writes rules in a way that is not known here: the kernel would get log "
                             "statements in the place of snat_stateless, so it got nothing"};
        }
        size += page.iov_len;
    }
    if (kept.empty()) {
        return system_.send(socket, batch);
    }
    make_room(socket, size);
    msghdr other = batch;
    other.msg_iov = pages.data();
    return system_.send(socket, other);
}

ssize_t Session::ask(const mnl_socket* socket, Message question) {
    const ssize_t sent = system_.ask(socket, question);
    if (sent < 0 && errno != EINTR) {
        unheard_ = errno;
    }
    return sent;
}

ssize_t Session::receive(const mnl_socket* socket, std::span<std::uint8_t> buffer) {
    const ssize_t received = system_.receive(socket, buffer);
    if (received <= 0) {
        // It reads until there is nothing more.
        unheard_ = received < 0 && errno != EINTR && errno != EAGAIN ? errno : unheard_;
        return received;
    }
    return static_cast<ssize_t>(rewriter_.from_kernel(buffer.first(static_cast<std::size_t>(received))));
}

// Neither waits for more where the other goes on: nothing is said in the middle of a stand-in or of a report.
void Session::take_output(std::string_view text) {
    errors_.flush();
    output_.write(text);
}

void Session::take_errors(std::string_view text) {
    output_.flush();
    errors_.write(text);
}

}  // namespace statnat
