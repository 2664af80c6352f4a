// SPDX-License-Identifier: GPL-2.0-or-later
// Lists, lets the kernel check the listing, and only then replaces the file.
#include "save.hpp"

#include "error.hpp"
#include "session.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <nftables/libnftables.h>
#include <sys/stat.h>
#include <unistd.h>

namespace statnat {

namespace {

constexpr std::string_view beginning = "# Written by statnat-nft save; to be loaded by: statnat-nft nft -f FILE\n"
                                       "# Stock nft does not know snat_stateless.\n"
                                       "flush ruleset\n";

struct Said {
    std::string output;
    std::string errors;
};

// Runs commands in a context of their own.
template <typename Prepare>
Said run(const std::string& commands, Prepare prepare, const char* what) {
    Said said;
    Session session([&](std::string_view text) { said.output += text; },
                    [&](std::string_view text) { said.errors += text; });
    prepare(session.context());
    if (session.run(commands) != 0) {
        throw CannotGoOn{std::string(what) + ":\n" + said.errors};
    }
    return said;
}

std::string system_error(const std::string& what) {
    return what + ": " + std::strerror(errno);
}

// A file beside the one to be replaced, which goes away unless it takes its place.
class Replacement {
public:
    explicit Replacement(std::filesystem::path target)
        : target_(std::move(target)), name_(target_.string() + ".XXXXXX"), descriptor_(::mkstemp(name_.data())) {
        if (descriptor_ < 0) {
            throw CannotGoOn{system_error("cannot write beside " + target_.string())};
        }
    }
    ~Replacement() {
        ::close(descriptor_);
        if (!name_.empty()) {
            ::unlink(name_.c_str());
        }
    }
    Replacement(const Replacement&) = delete;
    Replacement& operator=(const Replacement&) = delete;

    void write(std::string_view text) {
        while (!text.empty()) {
            const ssize_t size = ::write(descriptor_, text.data(), text.size());
            if (size < 0 && errno != EINTR) {
                throw CannotGoOn{system_error("cannot write " + name_)};
            }
            text.remove_prefix(size < 0 ? 0 : static_cast<std::size_t>(size));
        }
    }

    void take_place() {
        if (::fchmod(descriptor_, mode()) != 0 || ::fsync(descriptor_) != 0 ||
            ::rename(name_.c_str(), target_.c_str()) != 0) {
            throw CannotGoOn{system_error("cannot replace " + target_.string())};
        }
        name_.clear();
    }

private:
    // That of the old file; a new one is for root alone, since a ruleset tells what is open.
    mode_t mode() const {
        struct stat old {};
        return ::stat(target_.c_str(), &old) == 0 ? old.st_mode & 07777 : 0600;
    }

    std::filesystem::path target_;
    std::string name_;
    int descriptor_;
};

}  // namespace

int save(const std::optional<std::filesystem::path>& file) {
    const auto stateless = [](nft_ctx* context) { nft_ctx_output_set_flags(context, NFT_CTX_OUTPUT_STATELESS); };
    const auto check_only = [](nft_ctx* context) { nft_ctx_set_dry_run(context, true); };
    const std::string text = std::string(beginning) + run("list ruleset", stateless, "cannot list the ruleset").output;
    run(text, check_only, "the kernel would not take its own ruleset back, so nothing is saved");
    if (!file) {
        std::cout << text;
        return exit_done;
    }
    Replacement replacement(*file);
    replacement.write(text);
    replacement.take_place();
    return exit_done;
}

}  // namespace statnat
