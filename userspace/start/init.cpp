// SPDX-License-Identifier: GPL-2.0-or-later
#include "start/init.hpp"

#include "error.hpp"
#include "files.hpp"
#include "start/first_file.hpp"

#include <iostream>
#include <string>
#include <system_error>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace statnat {
namespace {

namespace fs = std::filesystem;

constexpr const char* standard_output = "-";

// Whatever it is, also a link that leads nowhere yet.
void refuse_to_replace(const fs::path& file) {
    std::error_code ignored;
    if (fs::exists(fs::symlink_status(file, ignored))) {
        throw CannotGoOn{fmt::format("{} is there already, and stays as it is: move it away, or name another file by "
                                     "--output, or - for standard output",
                                     file.string())};
    }
}

void make_folder(const fs::path& folder) {
    std::error_code failure;
    fs::create_directories(folder, failure);
    if (failure) {
        throw CannotGoOn{fmt::format("cannot make the directory {}: {}", folder.string(), failure.message())};
    }
}

void say_what_next(const Site& site, const fs::path& file) {
    const auto or_none = [](const std::string& names) { return names.empty() ? "none" : names; };
    std::cerr << fmt::format("wrote {0}: outside {1}, inside {2}, and no pairs yet. Next:\n"
                             "    editor {0}              # put them in, below [pairs]\n"
                             "    statnat-nft sync {0}    # load them, all or nothing\n"
                             "    statnat-nft doctor {0}  # what still stops their packets, and the cure\n",
                             file.string(), or_none(names_of(site.outside)), or_none(names_of(site.inside)));
}

}  // namespace

int init(Kernel& kernel, const fs::path& file, std::ostream& out) {
    if (file == standard_output) {
        out << first_file(look_at_site(kernel));
        return exit_done;
    }
    refuse_to_replace(file);
    const Site site = look_at_site(kernel);
    if (file.parent_path() == "/etc/statnat") {
        make_folder(file.parent_path());
    }
    put_text(file, first_file(site));
    if (spdlog::should_log(spdlog::level::info)) {
        say_what_next(site, file);
    }
    return exit_done;
}

}  // namespace statnat
