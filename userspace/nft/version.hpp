// SPDX-License-Identifier: GPL-2.0-or-later
// Where versions of nftables differ and do not tell at run time: as the one does that this is built with.
#pragma once

namespace statnat {

// 1.1 or later, not 1.0.
inline constexpr bool like_nft_1_1 = STATNAT_LIKE_NFT_1_1;

}  // namespace statnat
