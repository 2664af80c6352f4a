// SPDX-License-Identifier: GPL-2.0-or-later
// A kernel that holds nothing of ours yet.
#pragma once

#include "actual/kernel.hpp"
#include "fake_socket.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>

#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

namespace statnat::fake {

constexpr std::uint16_t type_of(int type) {
    return static_cast<std::uint16_t>((NFNL_SUBSYS_NFTABLES << 8) | type);
}

inline const Bytes nothing_inside(4, 0);  // a nfgenmsg

// A kernel without a table of ours, whose generation changes as `next_generation` says.
class EmptyKernel {
public:
    std::function<std::uint32_t()> next_generation = [] { return 1U; };
    std::function<Replies(Message batch)> answer_batch = [](Message) { return Replies{}; };

    Replies operator()(Message datagram) const {
        const nlmsghdr header = header_of(datagram);
        if (header.nlmsg_type == NFNL_MSG_BATCH_BEGIN) {
            return answer_batch(datagram);
        }
        if (header.nlmsg_type == type_of(NFT_MSG_GETGEN)) {
            const std::uint32_t generation = next_generation();
            const Bytes attribute{8,
                                  0,
                                  NFTA_GEN_ID,
                                  0,
                                  static_cast<std::uint8_t>(generation >> 24),
                                  static_cast<std::uint8_t>(generation >> 16),
                                  static_cast<std::uint8_t>(generation >> 8),
                                  static_cast<std::uint8_t>(generation)};
            return {message(type_of(NFT_MSG_NEWGEN), 0, header.nlmsg_seq, nothing_inside + attribute),
                    acknowledgement(header.nlmsg_seq)};
        }
        return {acknowledgement(header.nlmsg_seq, ENOENT)};
    }
};

// One that has nothing to tell of others.
inline statnat::Kernel kernel_of(const EmptyKernel& empty, Progress& progress) {
    return {{[=] { return std::make_unique<FakeSocket>(empty); },
             [] { return std::make_unique<FakeSocket>([](Message) { return Replies{}; }); }},
            {},
            progress,
            std::chrono::seconds(0)};
}

}  // namespace statnat::fake
