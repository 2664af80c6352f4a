// SPDX-License-Identifier: GPL-2.0-or-later
#include "tracing/owned_table.hpp"

#include "error.hpp"

#include <new>

#include <fmt/format.h>
#include <nftables/libnftables.h>

namespace statnat {

void OwnedTable::Freed::operator()(nft_ctx* context) const {
    nft_ctx_free(context);
}

OwnedTable::OwnedTable(const std::string& name, const std::string& text) : context_(nft_ctx_new(NFT_CTX_DEFAULT)) {
    if (!context_ || nft_ctx_buffer_error(context_.get()) != 0) {
        throw std::bad_alloc();
    }
    if (nft_run_cmd_from_buffer(context_.get(), text.c_str()) != 0) {
        const std::string error = nft_ctx_get_error_buffer(context_.get());
        throw CannotGoOn{fmt::format("no packet can be traced, since the kernel refuses the table {}: {}", name,
                                     error.substr(0, error.find('\n')))};
    }
}

}  // namespace statnat
