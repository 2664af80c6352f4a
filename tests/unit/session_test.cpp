// SPDX-License-Identifier: GPL-2.0-or-later
// libnftables itself, with a rehearsal's kernel in the place of the real one.
#include "error.hpp"
#include "nft/rehearsal.hpp"
#include "nft/session.hpp"

#include <array>
#include <cstdio>
#include <string>

#include <gtest/gtest.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <sys/socket.h>

namespace statnat {
namespace {

// For the table of the rehearsal.
constexpr const char* rule = "add rule ip statnat-rehearsal nowhere counter snat_stateless saddr map @m";

bool holds(const Bytes& bytes, std::string_view text) {
    const std::string_view whole(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return whole.find(text) != std::string_view::npos;
}

TEST(Rehearsal, PassesWithThisLibnftables) {
    EXPECT_NO_THROW(rehearse(Notation::text));
    EXPECT_NO_THROW(rehearse(Notation::json));
}

class SessionTest : public testing::Test {
protected:
    std::string output;
    std::string errors;
    RehearsalKernel kernel;
    Session session{[this](std::string_view text) { output += text; },
                    [this](std::string_view text) { errors += text; }, kernel};
};

TEST_F(SessionTest, KernelGetsOurExpressionAndNoStandIn) {
    session.run(rule);
    ASSERT_EQ(kernel.rules().size(), 1u);
    EXPECT_TRUE(holds(kernel.rules()[0], "snat_stateless"));
    EXPECT_FALSE(holds(kernel.rules()[0], "log"));
}

TEST_F(SessionTest, WhatTheKernelHasIsListedAsItWasWritten) {
    session.run(rule);
    EXPECT_EQ(session.run("list ruleset"), 0) << errors;
    EXPECT_NE(output.find("\t\tcounter packets 0 bytes 0 snat_stateless saddr map @m\n"), std::string::npos) << output;
}

TEST_F(SessionTest, OuterOneIsAskedAgain) {
    {
        Session inner([](std::string_view) {}, [](std::string_view) {}, kernel);
    }
    EXPECT_EQ(interpose(&session), &session);
}

// A rule in the making, as libnftables would send it.
Bytes rule_with_log(const std::string& prefix, bool with_level) {
    alignas(nlmsghdr) std::array<char, 256> room{};
    nlmsghdr* header = mnl_nlmsg_put_header(room.data());
    header->nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWRULE;
    mnl_nlmsg_put_extra_header(header, sizeof(nfgenmsg));
    nlattr* expressions = mnl_attr_nest_start(header, NFTA_RULE_EXPRESSIONS);
    nlattr* item = mnl_attr_nest_start(header, NFTA_LIST_ELEM);
    mnl_attr_put_strz(header, NFTA_EXPR_NAME, "log");
    nlattr* data = mnl_attr_nest_start(header, NFTA_EXPR_DATA);
    if (with_level) {
        mnl_attr_put_u32(header, NFTA_LOG_LEVEL, 0);
    }
    mnl_attr_put_strz(header, NFTA_LOG_PREFIX, prefix.c_str());
    mnl_attr_nest_end(header, data);
    mnl_attr_nest_end(header, item);
    mnl_attr_nest_end(header, expressions);
    return {room.data(), room.data() + header->nlmsg_len};
}

// The name that a session gives to the statement.
std::string stand_in_of(Session& session) {
    std::FILE* file = std::tmpfile();
    std::fputs(rule, file);
    std::rewind(file);
    std::FILE* text = session.opened("rule", file);
    std::array<char, 256> line{};
    std::fgets(line.data(), line.size(), text);
    std::fclose(text);
    const std::string read = line.data();
    const std::size_t begin = read.find('"') + 1;
    return read.substr(begin, read.find('"', begin) - begin);
}

struct Case {
    const char* why;
    bool with_level;
    std::size_t pages;  // that the rule comes in
    bool sent;
};

const Case cases[] = {
    {"as libnftables writes it", false, 1, true},
    {"with an attribute more", true, 1, false},
    {"in two pieces", false, 2, false},
};

TEST_F(SessionTest, StandInThatIsNotUnderstoodIsNotSent) {
    const std::string name = stand_in_of(session);
    for (const auto& [why, with_level, count, sent] : cases) {
        SCOPED_TRACE(why);
        Bytes bytes = rule_with_log(name, with_level);
        const std::size_t first = count == 1 ? bytes.size() : bytes.size() / 2;
        std::array<iovec, 2> pages{{{bytes.data(), first}, {bytes.data() + first, bytes.size() - first}}};
        msghdr batch{};
        batch.msg_iov = pages.data();
        batch.msg_iovlen = count;
        const std::size_t before = kernel.rules().size();
        if (sent) {
            session.send(-1, batch);
        } else {
            EXPECT_THROW(session.send(-1, batch), CannotGoOn);
            EXPECT_THROW(session.run("list tables"), CannotGoOn);  // and so it is told
        }
        EXPECT_EQ(kernel.rules().size() - before, sent ? 1u : 0u);
    }
}

// Stands before the session, as another function that libnftables calls would, and takes every batch.
class Bypass final : public Interposed {
public:
    explicit Bypass(System& kernel) : kernel_(kernel) {}

    std::FILE* opened(const char*, std::FILE* file) override { return file; }
    ssize_t send(int, const msghdr& batch) override {
        ssize_t size = 0;
        for (std::size_t page = 0; page < batch.msg_iovlen; ++page) {
            size += static_cast<ssize_t>(batch.msg_iov[page].iov_len);
        }
        return size;
    }
    ssize_t ask(const mnl_socket* socket, Message question) override { return kernel_.ask(socket, question); }
    ssize_t receive(const mnl_socket* socket, std::span<std::uint8_t> buffer) override {
        return kernel_.receive(socket, buffer);
    }

private:
    System& kernel_;
};

TEST_F(SessionTest, BatchThatWentElsewhereIsTold) {
    Bypass bypass(kernel);
    Interposed* const before = interpose(&bypass);
    EXPECT_THROW(session.run(rule), CannotGoOn);
    EXPECT_EQ(session.run("add rule ip statnat-rehearsal nowhere counter"), 0) << errors;  // none of ours
    interpose(before);
}

}  // namespace
}  // namespace statnat
