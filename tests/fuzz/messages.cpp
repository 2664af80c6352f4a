// SPDX-License-Identifier: GPL-2.0-or-later
// Any datagram from the kernel and any batch from libnftables: bytes as they come, and rules made of them.
#include "error.hpp"
#include "stand_ins/rewrite.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string>

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nft_snat_stateless.h>

using namespace statnat;

namespace {

void demand(bool condition) {
    if (!condition) {
        std::abort();
    }
}

// The input, piece by piece.
class Input {
public:
    Input(const std::uint8_t* data, std::size_t size) : rest_(data, size) {}

    bool empty() const { return rest_.empty(); }

    std::uint8_t byte() {
        const std::uint8_t value = rest_.empty() ? 0 : rest_.front();
        rest_ = rest_.subspan(rest_.empty() ? 0 : 1);
        return value;
    }

    Message bytes(std::size_t size) {
        const Message taken = rest_.first(std::min(size, rest_.size()));
        rest_ = rest_.subspan(taken.size());
        return taken;
    }

private:
    Message rest_;
};

// An expression of ours, a log statement with a name of ours or with more, or anything.
void put_expression(nlmsghdr* rule, Input& input, const std::array<std::string, 3>& names) {
    nlattr* item = mnl_attr_nest_start(rule, NFTA_LIST_ELEM);
    const std::uint8_t kind = input.byte();
    constexpr std::array<const char*, 4> kinds{NFT_SNAT_STATELESS_NAME, "log", "log", "counter"};
    mnl_attr_put_strz(rule, NFTA_EXPR_NAME, kinds[kind % 4]);
    nlattr* data = mnl_attr_nest_start(rule, NFTA_EXPR_DATA);
    if (kind % 4 == 1) {
        mnl_attr_put_strz(rule, NFTA_LOG_PREFIX, names[kind / 4 % names.size()].c_str());
    }
    if (kind % 4 != 1 || kind & 0x80) {
        const Message content = input.bytes(input.byte());
        mnl_attr_put(rule, kind / 4 % 8, content.size(), content.data());
    }
    if (kind % 4 == 0) {
        mnl_attr_put_u32(rule, NFTA_SNAT_STATELESS_FIELD, htonl(kind / 4 % 2));
        nlattr* maps = mnl_attr_nest_start(rule, NFTA_SNAT_STATELESS_MAPS);
        nlattr* map = mnl_attr_nest_start(rule, NFTA_LIST_ELEM);
        mnl_attr_put_strz(rule, NFTA_SNAT_STATELESS_MAP_NAME, "m");
        mnl_attr_nest_end(rule, map);
        mnl_attr_nest_end(rule, maps);
    }
    mnl_attr_nest_end(rule, data);
    mnl_attr_nest_end(rule, item);
}

Bytes rules_of(Input input, const std::array<std::string, 3>& names) {
    Bytes batch;
    while (!input.empty() && batch.size() < 16 * 1024) {
        Bytes room(32 * 1024);
        nlmsghdr* rule = mnl_nlmsg_put_header(room.data());
        rule->nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWRULE;
        rule->nlmsg_seq = input.byte();
        mnl_nlmsg_put_extra_header(rule, sizeof(nfgenmsg));
        mnl_attr_put_strz(rule, NFTA_RULE_TABLE, "t");
        nlattr* list = mnl_attr_nest_start(rule, NFTA_RULE_EXPRESSIONS);
        for (int count = input.byte() % 8; count > 0; --count) {
            put_expression(rule, input, names);
        }
        mnl_attr_nest_end(rule, list);
        batch.insert(batch.end(), room.begin(), room.begin() + rule->nlmsg_len);
    }
    return batch;
}

// As a batch, and then as the kernel's answer; what libnftables sees it writes, and what it wrote it sees again.
void there_and_back(Rewriter& rewriter, const Bytes& batch) {
    rewriter.start_batch();
    const Bytes sent = rewriter.to_kernel(batch).value_or(batch);
    Bytes seen = sent;
    seen.resize(rewriter.from_kernel(seen));
    demand(seen.size() <= sent.size());
    const Bytes again = rewriter.to_kernel(seen).value_or(seen);
    Bytes seen_again = again;
    seen_again.resize(rewriter.from_kernel(seen_again));
    demand(seen_again == seen);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    StandIns stand_ins("SABCDEFGHI");
    const std::array<std::string, 3> names{
        stand_ins.name(SnatStateless{.field = Field::source, .maps = {{.name = "m"}}}),
        stand_ins.name(SnatStateless{.field = Field::destination,
                                     .maps = {{.name = "m"}, {.name = "n", .prefix = 48, .npt = true}},
                                     .notrack = true,
                                     .else_maps = {{.name = "o"}}}),
        "SABCDEFGHI~~~"};  // none
    Rewriter rewriter(stand_ins);
    for (const Bytes& batch : {Bytes(data, data + size), rules_of({data, size}, names)}) {
        try {
            there_and_back(rewriter, batch);
        } catch (const CannotGoOn&) {
        }
    }
    return 0;
}
