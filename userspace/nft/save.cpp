// SPDX-License-Identifier: GPL-2.0-or-later
// Lists, lets the kernel check the listing, and only then writes the file.
#include "nft/save.hpp"

#include "error.hpp"
#include "files.hpp"
#include "nft/rehearsal.hpp"
#include "nft/session.hpp"

#include <iostream>
#include <string>
#include <string_view>

#include <nftables/libnftables.h>

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

}  // namespace

int save(const std::optional<std::filesystem::path>& file) {
    const auto stateless = [](nft_ctx* context) { nft_ctx_output_set_flags(context, NFT_CTX_OUTPUT_STATELESS); };
    const auto check_only = [](nft_ctx* context) { nft_ctx_set_dry_run(context, true); };
    rehearse(Notation::text);
    const std::string text = std::string(beginning) + run("list ruleset", stateless, "cannot list the ruleset").output;
    run(text, check_only, "the kernel would not take its own ruleset back, so nothing is saved");
    if (!file) {
        std::cout << text;
        return exit_done;
    }
    put_text(*file, text);
    return exit_done;
}

}  // namespace statnat
