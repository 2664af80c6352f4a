// SPDX-License-Identifier: GPL-2.0-or-later
#include "nft/listing.hpp"

#include "nft/session.hpp"

#include <string_view>

#include <fmt/format.h>
#include <nftables/libnftables.h>

namespace statnat {

std::optional<std::string> list_chain(const std::string& family, const std::string& table, const std::string& chain) {
    std::string listing;
    Session session([&](std::string_view text) { listing += text; }, [](std::string_view) {});
    nft_ctx_output_set_flags(session.context(),
                             NFT_CTX_OUTPUT_HANDLE | NFT_CTX_OUTPUT_TERSE | NFT_CTX_OUTPUT_STATELESS);
    const bool done = session.run(fmt::format("list chain {} {} {}", family, table, chain)) == 0;
    return done ? std::optional(std::move(listing)) : std::nullopt;
}

}  // namespace statnat
