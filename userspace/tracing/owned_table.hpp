// SPDX-License-Identifier: GPL-2.0-or-later
// A table that goes with this process, however that ends: it belongs to a socket (NFT_TABLE_F_OWNER).
#pragma once

#include <memory>
#include <string>

struct nft_ctx;

namespace statnat {

class OwnedTable {
public:
    // `text` makes a table as nft(8) would load it, with `flags owner`. Throws CannotGoOn where the kernel refuses it.
    OwnedTable(const std::string& name, const std::string& text);

private:
    struct Freed {
        void operator()(nft_ctx* context) const;
    };

    std::unique_ptr<nft_ctx, Freed> context_;
};

}  // namespace statnat
