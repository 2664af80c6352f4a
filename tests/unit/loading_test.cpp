// SPDX-License-Identifier: GPL-2.0-or-later
// Many elements, without a kernel: which transactions come, and what becomes of them when one is refused.
#include "actual/listeners.hpp"
#include "actual/loading.hpp"
#include "error.hpp"
#include "fake_socket.hpp"
#include "kernel_model.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

namespace statnat {
namespace {

using fake::acknowledgement;
using fake::FakeSocket;
using fake::header_of;
using fake::Replies;
using fake::split;

constexpr std::size_t many = 2 * most_at_once + 100;

Elements elements(std::size_t count, std::uint8_t value = 11) {
    Elements all;
    for (std::size_t i = 0; i < count; ++i) {
        const auto byte = [&](unsigned shift) { return static_cast<std::uint8_t>(i >> shift); };
        all.push_back(Address{Family::ipv4, {10, byte(16), byte(8), byte(0)}},
                      Address{Family::ipv4, {value, byte(16), byte(8), byte(0)}});
    }
    return all;
}

Ruleset ruleset(std::size_t hosts, std::uint32_t capacity = 196'608) {
    Table table;
    table.maps = {Map{.name = "ext2int", .capacity = capacity, .elements = elements(1)},
                  Map{.name = "int2ext", .capacity = capacity, .elements = elements(hosts)}};
    Chain chain{.name = "prerouting", .hook = Hook::prerouting, .comment = {}, .rules = {}};
    for (const Map& map : table.maps) {
        chain.rules.push_back(Rule{.statements = {SetAddress{Field::source, map.name}}, .traffic = {}});
    }
    table.chains = {chain};
    return {table};
}

// A batch, by the kinds of its messages.
struct Sent {
    std::uint32_t generation = 0;  // 0: whatever it is
    std::vector<int> kinds{};
    std::size_t elements = 0;
};

std::size_t count_listed(Message message) {
    std::size_t count = 0;
    for (std::size_t at = sizeof(nlmsghdr) + sizeof(nfgenmsg); at + sizeof(nlattr) <= message.size();) {
        nlattr attribute{};
        std::memcpy(&attribute, &message[at], sizeof attribute);
        if ((attribute.nla_type & NLA_TYPE_MASK) == NFTA_SET_ELEM_LIST_ELEMENTS) {
            for (std::size_t item = at + sizeof attribute; item < at + attribute.nla_len;) {
                nlattr one{};
                std::memcpy(&one, &message[item], sizeof one);
                item += NLA_ALIGN(one.nla_len);
                ++count;
            }
        }
        at += NLA_ALIGN(attribute.nla_len);
    }
    return count;
}

// Notes what is sent, and refuses the first message of one kind in one batch.
class Noted {
public:
    std::vector<Sent> sent;
    std::size_t refused_batch = static_cast<std::size_t>(-1);
    int refused_kind = NFT_MSG_NEWSETELEM;
    int error = ENFILE;

    Netlink netlink() {
        return Netlink(std::make_unique<FakeSocket>([this](Message batch) { return answer(batch); }));
    }

private:
    Replies answer(Message batch) {
        Sent noted;
        Replies replies;
        for (const Message message : split(batch)) {
            const nlmsghdr header = header_of(message);
            const int kind = header.nlmsg_type & 0xff;
            if (header.nlmsg_type == NFNL_MSG_BATCH_BEGIN && message.size() > sizeof(nlmsghdr) + sizeof(nfgenmsg)) {
                std::memcpy(&noted.generation, &message[sizeof(nlmsghdr) + sizeof(nfgenmsg) + sizeof(nlattr)], 4);
                noted.generation = ntohl(noted.generation);
            }
            if (header.nlmsg_type >> 8 != NFNL_SUBSYS_NFTABLES) {
                continue;
            }
            noted.kinds.push_back(kind);
            noted.elements += kind == NFT_MSG_NEWSETELEM ? count_listed(message) : 0;
            if (sent.size() == refused_batch && kind == refused_kind && replies.empty()) {
                replies.emplace_back(acknowledgement(header.nlmsg_seq, error));
            }
            if (header.nlmsg_flags & NLM_F_ACK) {
                replies.emplace_back(acknowledgement(header.nlmsg_seq));
            }
        }
        sent.push_back(noted);
        return replies;
    }
};

bool has(const Sent& batch, int kind) {
    return std::find(batch.kinds.begin(), batch.kinds.end(), kind) != batch.kinds.end();
}

// Loads from one ruleset to another; what was sent for that.
std::vector<Sent> load(const Ruleset& actual, const Ruleset& after) {
    Noted kernel;
    Netlink netlink = kernel.netlink();
    auto loading = Loading::of(plan(after, actual), actual, after);
    EXPECT_TRUE(loading);
    EXPECT_TRUE(!loading || loading->run(netlink, "statnat", 7, [](std::size_t) {}));
    return kernel.sent;
}

TEST(Loading, IsDoneInTransactionsOfABoundedSize) {
    const std::vector<Sent> sent = load({}, ruleset(many));
    ASSERT_EQ(sent.size(), 3U);
    EXPECT_EQ(sent[0].elements, most_at_once);
    EXPECT_EQ(sent[1].elements, most_at_once);
    EXPECT_EQ(sent[2].elements, many + 1 - 2 * most_at_once);
    EXPECT_EQ(sent[0].generation, 7U);
    EXPECT_EQ(sent[1].generation, 0U);
}

TEST(Loading, MarksWhoseTheMapsAre) {
    const std::vector<Sent> sent = load({}, ruleset(many));
    ASSERT_EQ(sent.size(), 3U);
    EXPECT_EQ(sent[0].kinds.front(), NFT_MSG_NEWTABLE);
    EXPECT_EQ(sent[0].kinds.back(), NFT_MSG_NEWCHAIN);
    for (const std::size_t later : {1U, 2U}) {
        EXPECT_EQ(sent[later].kinds.front(), NFT_MSG_DELCHAIN);
        EXPECT_EQ(sent[later].kinds.back(), NFT_MSG_NEWCHAIN);
    }
}

TEST(Loading, HasNoRulesYet) {
    for (const Sent& batch : load({}, ruleset(many))) {
        EXPECT_FALSE(has(batch, NFT_MSG_NEWRULE));
    }
}

TEST(Loading, IsForManyElementsAlone) {
    EXPECT_FALSE(Loading::of(plan(ruleset(most_at_once - 1), {}), {}, ruleset(most_at_once - 1)));
    EXPECT_TRUE(Loading::of(plan(ruleset(most_at_once), {}), {}, ruleset(most_at_once)));
}

TEST(Loading, LeavesMapsAloneThatRulesAsk) {
    const Ruleset actual = ruleset(5);
    EXPECT_FALSE(Loading::of(plan(ruleset(many), actual), actual, ruleset(many)));
    const Ruleset small = ruleset(5, 3'072);
    EXPECT_FALSE(Loading::of(plan(ruleset(many), small), small, ruleset(many)));
}

TEST(Loading, LeavesMapsAloneThatRulesMayAsk) {
    Ruleset actual = ruleset(5);
    actual[0].chains[0].rules[0].statements = {Foreign{"payload"}};
    EXPECT_FALSE(Loading::of(plan(ruleset(many), actual), actual, ruleset(many)));
}

TEST(Loading, LeavesATableAloneThatMakesWayForAnother) {
    Ruleset dormant = ruleset(5);
    dormant[0].dormant = true;
    EXPECT_FALSE(Loading::of(plan(ruleset(many), dormant), dormant, ruleset(many)));
}

TEST(Loading, GoesOnWhereSomebodyWasKilled) {
    const Ruleset after = ruleset(many);
    Ruleset actual = ruleset(10);
    actual[0].chains = {Chain{.name = "loading-0a0b0c0d-3", .hook = {}, .comment = {}, .rules = {}}};
    const std::vector<Sent> sent = load(actual, after);
    ASSERT_EQ(sent.size(), 2U + 1U);
    EXPECT_EQ(sent[0].elements + sent[1].elements + sent[2].elements, many - 10);
    EXPECT_TRUE(has(sent[0], NFT_MSG_DELCHAIN));
    EXPECT_EQ(loading_mark(actual), "loading-0a0b0c0d-3");
    EXPECT_FALSE(loading_mark(after));
}

// What the kernel has behind it, step by step, and what is left to do.
TEST(Loading, LeadsWhereThePlanLeads) {
    const Ruleset after = ruleset(many);
    Noted kernel;
    Netlink netlink = kernel.netlink();
    auto loading = Loading::of(plan(after, {}), {}, after);
    ASSERT_TRUE(loading && loading->run(netlink, "statnat", 7, [](std::size_t) {}));
    const Elements& loaded = loading->contents().at({Family::ipv4, "int2ext"});
    EXPECT_TRUE(loaded == after[0].maps[1].elements);

    Ruleset there = after;
    there[0].chains = {Chain{.name = "loading-0-0", .hook = {}, .comment = {}, .rules = {}}};
    EXPECT_FALSE(loading->stands_in(there));  // somebody else's
    EXPECT_EQ(count_elements(plan(after, there)), 0U);
    KernelModel model(there);
    EXPECT_TRUE(plan(after, model.commit(plan(after, there))).empty());
}

TEST(Loading, TakesBackWhatItHasMade) {
    Noted kernel;
    kernel.refused_batch = 1;
    Netlink netlink = kernel.netlink();
    auto loading = Loading::of(plan(ruleset(many), {}), {}, ruleset(many));
    ASSERT_TRUE(loading);
    EXPECT_THROW(loading->run(netlink, "statnat", 7, [](std::size_t) {}), CannotGoOn);
    ASSERT_EQ(kernel.sent.size(), 3U);
    EXPECT_EQ(kernel.sent[2].kinds, (std::vector<int>{NFT_MSG_DELCHAIN, NFT_MSG_DELTABLE}));
}

TEST(Loading, TakesBackItsMapsWhereTheTableStays) {
    Ruleset actual = ruleset(5);
    actual[0].maps.erase(actual[0].maps.begin() + 1);
    actual[0].chains.clear();
    Noted kernel;
    kernel.refused_batch = 2;
    Netlink netlink = kernel.netlink();
    auto loading = Loading::of(plan(ruleset(many), actual), actual, ruleset(many));
    ASSERT_TRUE(loading);
    EXPECT_THROW(loading->run(netlink, "statnat", 7, [](std::size_t) {}), CannotGoOn);
    ASSERT_EQ(kernel.sent.size(), 4U);
    EXPECT_EQ(kernel.sent[3].kinds, (std::vector<int>{NFT_MSG_DELCHAIN, NFT_MSG_DELSET}));
}

TEST(Loading, StopsWhereSomebodyElseHasTakenItsMarkAway) {
    Noted kernel;
    kernel.refused_batch = 1;
    kernel.refused_kind = NFT_MSG_DELCHAIN;
    kernel.error = ENOENT;
    Netlink netlink = kernel.netlink();
    auto loading = Loading::of(plan(ruleset(many), {}), {}, ruleset(many));
    ASSERT_TRUE(loading);
    EXPECT_FALSE(loading->run(netlink, "statnat", 7, [](std::size_t) {}));
    EXPECT_EQ(kernel.sent.size(), 2U);
}

TEST(Loading, DoesNotBeginAtAnotherGeneration) {
    Noted kernel;
    kernel.refused_batch = 0;
    kernel.refused_kind = NFT_MSG_NEWTABLE;
    kernel.error = ERESTART;
    Netlink netlink = kernel.netlink();
    auto loading = Loading::of(plan(ruleset(many), {}), {}, ruleset(many));
    ASSERT_TRUE(loading);
    EXPECT_FALSE(loading->run(netlink, "statnat", 7, [](std::size_t) {}));
    loading->undo(netlink, "statnat");
    EXPECT_EQ(kernel.sent.size(), 1U);
}

TEST(Elements, HasParts) {
    Elements all = elements(10);
    all.set_traffic(4, {1, 2});
    const Elements part = all.part(3, 2);
    ASSERT_EQ(part.size(), 2U);
    EXPECT_EQ(part.key(0), all.key(3));
    EXPECT_EQ(part.value(1), all.value(4));
    EXPECT_EQ(part.traffic(0), Traffic{});
    EXPECT_EQ(part.traffic(1), (Traffic{1, 2}));
}

constexpr const char* columns =
    "sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode\n";

std::optional<std::string> port_in(const std::string& lines) {
    std::istringstream text(columns + lines);
    return listening_port(text);
}

TEST(Listeners, AreWhoHasTheGroupOfNfTables) {
    EXPECT_EQ(port_in("00000000a1 12  4711       00000040 0  0  0  2  0  1\n"), "4711");
    EXPECT_EQ(port_in("00000000a1 12  4711       0000004f 0  0  0  2  0  1\n"), "4711");
    EXPECT_EQ(port_in("00000000a1 12  4711       0000003f 0  0  0  2  0  1\n"), std::nullopt);
    EXPECT_EQ(port_in("00000000a1 0   4711       00000040 0  0  0  2  0  1\n"), std::nullopt);
    EXPECT_EQ(port_in(""), std::nullopt);
}

}  // namespace
}  // namespace statnat
