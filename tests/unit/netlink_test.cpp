// SPDX-License-Identifier: GPL-2.0-or-later
// Conversations that go wrong in every way a kernel knows, without a kernel.
#include "actual/kernel.hpp"
#include "empty_kernel.hpp"
#include "error.hpp"
#include "fake_socket.hpp"
#include "netlink/netlink.hpp"
#include "wire/questions.hpp"

#include <memory>

#include <gtest/gtest.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

namespace statnat {
namespace {

using fake::acknowledgement;
using fake::done;
using fake::EmptyKernel;
using fake::FakeSocket;
using fake::header_of;
using fake::kernel_of;
using fake::message;
using fake::nothing_inside;
using fake::Replies;
using fake::type_of;

Netlink talking_to(fake::Kernel kernel) {
    return Netlink(std::make_unique<FakeSocket>(std::move(kernel)));
}

// What a question leads to when the kernel says `replies`, all with the question's number.
struct Heard {
    Answer answer;
    int messages = 0;
};

Heard ask(const Replies& replies) {
    Netlink netlink = talking_to([&](Message) { return replies; });
    Heard heard;
    heard.answer = netlink.ask(ask_sets(Family::ipv4, "statnat", 1), [&](Message) { ++heard.messages; });
    return heard;
}

std::string error_of(const Replies& replies) {
    try {
        ask(replies);
    } catch (const CannotGoOn& error) {
        return error.sentence;
    }
    return "no error";
}

const Bytes one_set = message(type_of(NFT_MSG_NEWSET), NLM_F_MULTI, 1, nothing_inside);

TEST(Ask, TakesMessagesUntilTheEnd) {
    const Heard heard = ask({fake::operator+(one_set, one_set), one_set, done(1)});
    EXPECT_EQ(heard.messages, 3);
    EXPECT_FALSE(heard.answer.interrupted);
    EXPECT_FALSE(heard.answer.refusal);
}

TEST(Ask, GoesOnAfterASignal) {
    EXPECT_EQ(ask({EINTR, one_set, EINTR, EINTR, done(1)}).messages, 1);
}

TEST(Ask, PassesOverWhatAnswersAnotherQuestion) {
    const Bytes stale = message(type_of(NFT_MSG_NEWSET), NLM_F_MULTI, 77, nothing_inside);
    EXPECT_EQ(ask({stale, done(77), one_set, done(1)}).messages, 1);
}

TEST(Ask, TellsThatADumpWasInterrupted) {
    const Bytes marked = message(type_of(NFT_MSG_NEWSET), NLM_F_MULTI | NLM_F_DUMP_INTR, 1, nothing_inside);
    EXPECT_TRUE(ask({marked, done(1)}).answer.interrupted);
    EXPECT_TRUE(ask({one_set, done(1, 0, NLM_F_MULTI | NLM_F_DUMP_INTR)}).answer.interrupted);
    EXPECT_FALSE(ask({marked, done(1)}).answer.incomplete);
}

TEST(Ask, TellsThatSomethingIsMissing) {
    EXPECT_TRUE(ask({one_set, done(1, EINTR)}).answer.incomplete);
    EXPECT_TRUE(ask({acknowledgement(1, EINTR)}).answer.incomplete);
    EXPECT_TRUE(ask({acknowledgement(1, EAGAIN)}).answer.incomplete);
    const Heard heard = ask({ENOBUFS, one_set, done(1)});
    EXPECT_TRUE(heard.answer.incomplete);
    EXPECT_EQ(heard.messages, 1);
}

TEST(Ask, TellsARefusalWithItsText) {
    const Heard heard = ask({acknowledgement(1, EPERM, "not for you")});
    ASSERT_TRUE(heard.answer.refusal);
    EXPECT_EQ(heard.answer.refusal->error, EPERM);
    EXPECT_EQ(heard.answer.refusal->text, "not for you");
}

TEST(Ask, TellsARefusalHalfwayThroughADump) {
    const Heard heard = ask({one_set, done(1, ENOENT)});
    ASSERT_TRUE(heard.answer.refusal);
    EXPECT_EQ(heard.answer.refusal->error, ENOENT);
}

TEST(Ask, RefusesRepliesThatAreCutOff) {
    const Bytes header_only(one_set.begin(), one_set.begin() + 8);
    const Bytes half(one_set.begin(), one_set.begin() + 18);
    const Bytes no_code = message(NLMSG_ERROR, 0, 1, Bytes(8, 0));
    EXPECT_EQ(error_of({header_only}), "the kernel sent a message that is cut off");
    EXPECT_EQ(error_of({half}), "the kernel sent a message that is cut off");
    EXPECT_EQ(error_of({fake::operator+(one_set, half)}), "the kernel sent a message that is cut off");
    EXPECT_EQ(error_of({no_code}), "the kernel sent an acknowledgement that is cut off");
}

TEST(Ask, RefusesADatagramLargerThanItsBuffer) {
    EXPECT_EQ(error_of({Bytes(1U << 20)}), "the kernel sent 1048576 bytes at once, more than expected");
}

TEST(Ask, DoesNotWaitForEver) {
    EXPECT_EQ(error_of({}), "the kernel does not answer");
    EXPECT_EQ(error_of({one_set}), "the kernel does not answer");
    EXPECT_EQ(error_of({Bytes{}}), "the kernel does not answer");
}

TEST(Ask, SaysWhyItCannotReceive) {
    EXPECT_EQ(error_of({EBADF}), "cannot receive from the kernel: Bad file descriptor");
}

TEST(Send, GoesOnAfterASignal) {
    auto socket = std::make_unique<FakeSocket>([](Message) { return Replies{done(1)}; });
    socket->fail_sends({EINTR, EINTR});
    Netlink netlink(std::move(socket));
    EXPECT_FALSE(netlink.ask(ask_sets(Family::ipv4, "statnat", 1), [](Message) {}).refusal);
}

TEST(Send, SaysWhatIsTooLarge) {
    auto socket = std::make_unique<FakeSocket>([](Message) { return Replies{}; });
    socket->fail_sends({EMSGSIZE});
    Netlink netlink(std::move(socket));
    try {
        netlink.commit(encode({AddTable{Family::ipv4}}, "statnat", 1, 1));
        FAIL();
    } catch (const CannotGoOn& error) {
        EXPECT_NE(error.sentence.find("net.core.wmem_max"), std::string::npos) << error.sentence;
    }
}

// The outcome of a batch of begin (5), two steps (6, 7) and end (8), of which 7 is to be confirmed.
Outcome commit(const Replies& replies) {
    Netlink netlink = talking_to([&](Message) { return replies; });
    const Batch batch = encode({AddTable{Family::ipv4}, DeleteTable{Family::ipv6}}, "statnat", 1, 5);
    EXPECT_EQ(batch.confirmed, 7U);
    const Outcome outcome = netlink.commit(batch);
    EXPECT_EQ(netlink.next_sequence(), 9U);
    return outcome;
}

TEST(Commit, IsDoneWhenTheLastStepIsConfirmed) {
    EXPECT_EQ(commit({acknowledgement(7)}).result, Result::done);
    EXPECT_EQ(commit({EINTR, acknowledgement(7)}).result, Result::done);
}

TEST(Commit, IsUnknownWithoutAnAnswer) {
    EXPECT_EQ(commit({}).result, Result::unknown);
    EXPECT_EQ(commit({acknowledgement(3)}).result, Result::unknown);
    EXPECT_EQ(commit({acknowledgement(9)}).result, Result::unknown);
    EXPECT_EQ(commit({ENOBUFS, acknowledgement(7)}).result, Result::unknown);
}

TEST(Commit, TellsTheFirstRefusal) {
    const Outcome outcome = commit({acknowledgement(6, EEXIST, "first"), acknowledgement(7, ENOENT)});
    EXPECT_EQ(outcome.result, Result::refused);
    EXPECT_EQ(outcome.refusal.sequence, 6U);
    EXPECT_EQ(outcome.refusal.error, EEXIST);
    EXPECT_EQ(outcome.refusal.text, "first");
}

TEST(Commit, TellsARefusalEvenWhenOthersWereLost) {
    EXPECT_EQ(commit({ENOBUFS, acknowledgement(6, EEXIST)}).result, Result::refused);
    EXPECT_EQ(commit({acknowledgement(7), acknowledgement(5, ENOMEM)}).result, Result::refused);
}

TEST(Read, TellsTheGeneration) {
    EmptyKernel empty;
    empty.next_generation = [] { return 0x01020304U; };
    Progress progress;
    Kernel kernel = kernel_of(empty, progress);
    const Snapshot snapshot = kernel.read();
    EXPECT_EQ(snapshot.generation, 0x01020304U);
    EXPECT_TRUE(snapshot.ruleset.empty());
}

// What a commit of one step throws when the kernel answers message `number` of the batch with `error`.
std::string sentence_for(const Step& step, std::uint32_t number, int error, const std::string& text = {}) {
    EmptyKernel empty;
    empty.answer_batch = [&](Message batch) {
        return Replies{acknowledgement(header_of(batch).nlmsg_seq + number, error, text)};
    };
    Progress progress;
    Kernel kernel = kernel_of(empty, progress);
    try {
        kernel.commit({step}, Snapshot{.generation = 1}, {});
    } catch (const CannotGoOn& refusal) {
        EXPECT_EQ(refusal.status, exit_refused);
        return refusal.sentence;
    }
    return "no error";
}

TEST(KernelCommit, TellsRestartFromRefusal) {
    EmptyKernel empty;
    int error = 0;
    std::uint32_t number = 1;
    empty.answer_batch = [&](Message batch) {
        return Replies{acknowledgement(header_of(batch).nlmsg_seq + number, error)};
    };
    Progress progress;
    Kernel kernel = kernel_of(empty, progress);
    const Plan plan{AddTable{Family::ipv4}};
    EXPECT_EQ(kernel.commit(plan, Snapshot{.generation = 1}, {}), Committed::yes);
    number = 0;
    error = ERESTART;
    EXPECT_EQ(kernel.commit(plan, Snapshot{.generation = 1}, {}), Committed::outdated);
    empty.answer_batch = {};
}

TEST(KernelCommit, SaysWhatWasRefused) {
    const Step map = AddMap{Family::ipv4, Map{.name = "int2ext", .elements = {}}};
    EXPECT_EQ(sentence_for(map, 0, EPERM), "needs CAP_NET_ADMIN in this network namespace (run it as root)");
    EXPECT_EQ(sentence_for(map, 1, EEXIST, "yes"),
              "the kernel refused to add map int2ext (ip statnat): File exists (yes)");
    EXPECT_EQ(sentence_for(map, 1, EPERM),
              "the kernel refused to add map int2ext (ip statnat): another process owns table ip statnat");
    EXPECT_EQ(sentence_for(AddTable{Family::ipv6}, 1, EAFNOSUPPORT),
              "the kernel refused to add the table (ip6 statnat): Address family not supported by protocol");
    EXPECT_EQ(sentence_for(map, 0, ENOMEM), "the kernel refused the transaction: Cannot allocate memory");
}

TEST(KernelCommit, TurnsTheExpressionsErrnosIntoSentences) {
    Rule rule;
    rule.statements = {SnatStateless{Field::source, {{"int2ext"}}}};
    const Step rules = AddRules{Family::ipv4, "prerouting", {rule}};
    const std::string start = "the kernel refused to add rules to chain prerouting (ip statnat): ";
    EXPECT_EQ(sentence_for(rules, 1, EMEDIUMTYPE), start + "snat_stateless needs a map from addresses to addresses");
    EXPECT_EQ(sentence_for(rules, 1, ENODATA), start + "the map that snat_stateless names is not there");
    for (const int error : {ENOENT, EPERM, EINVAL, EAFNOSUPPORT, EOPNOTSUPP, EPROTOTYPE, EPROTONOSUPPORT, EMFILE}) {
        const std::string sentence = sentence_for(rules, 1, error);
        EXPECT_TRUE(sentence.starts_with(start)) << sentence;
        EXPECT_EQ(sentence.find(std::strerror(error)), std::string::npos) << sentence;
    }
}

TEST(KernelCommit, SaysThatAnOlderModuleDoesNotTranslateIPv6) {
    Chain chain;
    chain.name = "prerouting";
    chain.rules.emplace_back().statements = {SnatStateless{Field::source, {{"int2ext"}}}};
    EXPECT_EQ(sentence_for(AddChain{Family::ipv6, chain}, 2, EAFNOSUPPORT),
              "the kernel refused to add chain prerouting (ip6 statnat): the loaded nft_snat_stateless is an older "
              "version, which does not translate IPv6 (load the new one, or use engine \"native\")");
}

Availability probe(int error, std::uint32_t back) {
    EmptyKernel empty;
    empty.answer_batch = [&](Message batch) {
        const auto messages = fake::split(batch);
        EXPECT_NE(header_of(messages.back()).nlmsg_type, NFNL_MSG_BATCH_END) << "a probe must not commit";
        return Replies{acknowledgement(header_of(messages.back()).nlmsg_seq - back, error)};
    };
    Progress progress;
    return kernel_of(empty, progress).probe();
}

TEST(Probe, TellsWhetherTheExpressionIsThere) {
    EXPECT_TRUE(probe(0, 0).available);
    EXPECT_FALSE(probe(ENOENT, 0).available);
    EXPECT_NE(probe(ENOENT, 0).why_not.find("nft_snat_stateless"), std::string::npos);
    EXPECT_FALSE(probe(EPERM, 0).available);
    EXPECT_THROW(probe(EPERM, 4), CannotGoOn);
}

}  // namespace
}  // namespace statnat
