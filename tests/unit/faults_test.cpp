// SPDX-License-Identifier: GPL-2.0-or-later
// What can become of an answer of the kernel on its way, at each of the answers in turn: what is read is right, or
// there is a sentence. Never is less read than there is, and never is anything waited for without end.
#include "commands/change.hpp"
#include "error.hpp"
#include "holder.hpp"
#include "ruleset/layout.hpp"
#include "ruleset/plan.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <limits>
#include <string>
#include <vector>

namespace statnat {
namespace {

using fake::acknowledgement;
using fake::done;
using fake::header_of;
using fake::Holder;
using fake::Replies;
using fake::Reply;

Pair make_pair(const std::string& internal, const std::string& external) {
    return {*Prefix::parse(internal), *Prefix::parse(external), false, ""};
}

Ruleset ruleset_of(const std::vector<Pair>& pairs) {
    Configuration configuration;
    configuration.counters = Counters::off;
    configuration.pairs = Pairs(pairs);
    return layout(configuration, Engine::native);
}

const std::vector<Pair> few{make_pair("10.0.0.2", "198.51.100.2"), make_pair("10.0.0.3", "198.51.100.3"),
                            make_pair("fd00::2", "2001:db8::2")};
const std::vector<Pair> more{few[0], few[1], make_pair("10.0.0.4", "198.51.100.4"), few[2]};

// Every datagram is a Bytes of its own.
Replies without_end(Replies answer) {
    answer.pop_back();
    return answer;
}

Replies first_half(Replies answer) {
    answer.resize(answer.size() / 2);
    return answer;
}

Replies cut(Replies answer) {
    auto& last = std::get<Bytes>(answer.back());
    last.resize(last.size() - 4);
    return answer;
}

// Before each datagram a receive fails.
Replies failing(const Replies& answer, int error) {
    Replies replies;
    for (const Reply& reply : answer) {
        replies.insert(replies.end(), {error, reply});
    }
    return replies;
}

Replies renumbered(Replies answer, std::uint32_t by) {
    for (Reply& reply : answer) {
        auto& bytes = std::get<Bytes>(reply);
        reinterpret_cast<nlmsghdr*>(bytes.data())->nlmsg_seq += by;
    }
    return answer;
}

Replies behind(Replies first, const Replies& second) {
    first.insert(first.end(), second.begin(), second.end());
    return first;
}

int kind(const Replies& answer) {
    const auto* first = answer.empty() ? nullptr : std::get_if<Bytes>(&answer.front());
    return first ? header_of(*first).nlmsg_type & 0xff : -1;
}

// All but its end. The order of rules is what they mean, and nobody's to change.
Replies backwards(Replies answer) {
    if (kind(answer) != NFT_MSG_NEWRULE) {
        std::reverse(answer.begin(), answer.end() - 1);
    }
    return answer;
}

Replies interrupted(Replies answer) {
    for (Reply& reply : answer) {
        reinterpret_cast<nlmsghdr*>(std::get<Bytes>(reply).data())->nlmsg_flags |= NLM_F_DUMP_INTR;
    }
    return answer;
}

// What is told of the answer to a question with such a number.
using Fault = std::function<Replies(std::uint32_t sequence, Replies answer)>;

Fault refusing(int error) {
    return [=](std::uint32_t sequence, const Replies&) { return Replies{acknowledgement(sequence, error)}; };
}

// As who is asked while somebody commits; which generation it is can always be told.
Fault deferring(int error) {
    return [=](std::uint32_t sequence, Replies answer) {
        return kind(answer) == NFT_MSG_NEWGEN ? answer : Replies{acknowledgement(sequence, error)};
    };
}

Fault failing_halfway(int error) {
    return [=](std::uint32_t sequence, const Replies& answer) {
        return behind(first_half(answer), {done(sequence, error)});
    };
}

Fault by(Replies (*change)(Replies)) {
    return [=](std::uint32_t, Replies answer) { return change(std::move(answer)); };
}

Fault receiving(int error) {
    return [=](std::uint32_t, const Replies& answer) { return failing(answer, error); };
}

struct Case {
    const char* why;
    Fault fault;
    const char* once;    // what is said where it happens once; nothing: all is right
    const char* always;  // and where it happens from then on
};

constexpr const char* right = nullptr;
const char* const silence = "the kernel does not answer";
const char* const cut_off = "cut off";
const char* const never_whole = "all the time";

const std::vector<Case> cases{
    {"signals",                        receiving(EINTR),           right,                     right},
    {"no room for what came before",   receiving(ENOBUFS),         right,                     never_whole},
    {"a broken socket",                receiving(EBADF),           "Bad file descriptor",     "Bad file descriptor"},
    {"nothing",                        [](auto, auto) { return Replies{}; }, silence,         silence},
    {"no end",                         by(without_end),            silence,                   silence},
    {"dies half-way",                  by(first_half),             silence,                   silence},
    {"cut off",                        by(cut),                    cut_off,                   cut_off},
    {"said twice",                     [](auto, auto answer) { return behind(answer, answer); }, right, right},
    {"answers to others first",        [](auto, auto answer) { return behind(renumbered(answer, 77), answer); },
                                                                   right,                     right},
    {"answers to others only",         [](auto, auto answer) { return renumbered(answer, 77); }, silence, silence},
    {"in another order",               by(backwards),              right,                     right},
    {"others commit",                  by(interrupted),            right,                     never_whole},
    {"EINTR half-way",                 failing_halfway(EINTR),     right,                     never_whole},
    {"ENOMEM half-way",                failing_halfway(ENOMEM),    "Cannot allocate memory",  "Cannot allocate memory"},
    {"EINTR",                          deferring(EINTR),           right,                     never_whole},
    {"EAGAIN",                         deferring(EAGAIN),          right,                     never_whole},
    {"EPERM",                          refusing(EPERM),            "CAP_NET_ADMIN",           "CAP_NET_ADMIN"},
    {"ENOMEM",                         refusing(ENOMEM),           "Cannot allocate memory",  "Cannot allocate memory"},
};

class FaultsTest : public testing::TestWithParam<std::size_t> {
protected:
    const Case& given() const { return cases[GetParam()]; }

    // From the answer with such a number on, for so many.
    void spoil(Holder& holder, std::size_t from, std::size_t count) {
        asked = 0;
        holder.deliver = [this, from, count](Message question, Replies answer) {
            const std::size_t number = asked++;
            const bool is_spoilt = number >= from && number - from < count;
            return is_spoilt ? given().fault(header_of(question).nlmsg_seq, std::move(answer)) : answer;
        };
    }

    std::size_t asked = 0;
    Progress progress;
};

constexpr std::size_t for_ever = std::numeric_limits<std::size_t>::max();

// What is read, or the sentence.
struct Read {
    Ruleset ruleset;
    std::string sentence;
};

Read read(Holder& holder, Progress& progress) {
    try {
        Kernel kernel = holder.kernel(progress);
        return {kernel.read().ruleset, {}};
    } catch (const CannotGoOn& failure) {
        return {{}, failure.sentence};
    }
}

TEST_P(FaultsTest, WhatIsReadIsRightOrSaidNotToBe) {
    SCOPED_TRACE(given().why);
    const Ruleset held = ruleset_of(few);
    Holder holder(held);
    spoil(holder, 0, 0);
    ASSERT_TRUE(plan(held, read(holder, progress).ruleset).empty());
    const std::size_t answers = asked;
    ASSERT_GT(answers, 10U);
    for (const std::size_t count : {std::size_t{1}, for_ever}) {
        const char* expected = count == 1 ? given().once : given().always;
        std::size_t said = 0;
        for (std::size_t from = 0; from < answers; ++from) {
            spoil(holder, from, count);
            const Read got = read(holder, progress);
            // An answer may be none that this can happen to; there all is right.
            if (got.sentence.empty()) {
                EXPECT_TRUE(plan(held, got.ruleset).empty()) << from;
            } else {
                ++said;
                EXPECT_TRUE(expected && got.sentence.find(expected) != std::string::npos) << from << got.sentence;
            }
        }
        EXPECT_EQ(said > 0, expected != nullptr);
    }
}

INSTANTIATE_TEST_SUITE_P(All, FaultsTest, testing::Range(std::size_t{0}, cases.size()));

// What comes of a change whose batch is answered so.
struct Made {
    std::string sentence;  // empty: done
    int batches = 0;
};

Made change_with(const std::function<Replies(Holder&, std::uint32_t sequence, Replies answer)>& answer_batch) {
    Holder holder(ruleset_of(few));
    Made made;
    holder.deliver = [&](Message question, Replies answer) {
        if (header_of(question).nlmsg_type != NFNL_MSG_BATCH_BEGIN) {
            return answer;
        }
        ++made.batches;
        return answer_batch(holder, header_of(question).nlmsg_seq, std::move(answer));
    };
    Progress progress;
    Kernel kernel = holder.kernel(progress);
    try {
        change(kernel, [](const Ruleset&) { return ruleset_of(more); }, Depth::elements, [](const Change&) {});
    } catch (const CannotGoOn& failure) {
        made.sentence = failure.sentence;
    }
    return made;
}

TEST(ChangeTest, IsSentAgainUntilThePatienceIsAtAnEnd) {
    const Made made = change_with([](Holder&, std::uint32_t sequence, const Replies&) {
        return Replies{acknowledgement(sequence, ERESTART)};
    });
    EXPECT_NE(made.sentence.find("all the time"), std::string::npos) << made.sentence;
    EXPECT_GE(made.batches, 3);
}

TEST(ChangeTest, IsDoneWhereOnlyTheAnswerGotLost) {
    for (const Replies& answer : {Replies{}, Replies{ENOBUFS}, Replies{EINTR}}) {
        const Made made = change_with([&](Holder& holder, std::uint32_t, const Replies&) {
            holder.hold(ruleset_of(more));
            return answer;
        });
        EXPECT_EQ(made.sentence, "");
        EXPECT_EQ(made.batches, 1);
    }
}

TEST(ChangeTest, IsMadeAgainWhereTheBatchGotLost) {
    int lost = 2;
    const Made made = change_with([&](Holder&, std::uint32_t, const Replies& answer) {
        return lost-- > 0 ? Replies{} : answer;
    });
    EXPECT_EQ(made.sentence, "");
    EXPECT_EQ(made.batches, 3);
}

TEST(ChangeTest, IsNeverTakenForDone) {
    const Made silent = change_with([](Holder&, std::uint32_t, const Replies&) { return Replies{}; });
    EXPECT_NE(silent.sentence.find("nothing of this is done"), std::string::npos) << silent.sentence;
    const Made refused = change_with([](Holder&, std::uint32_t sequence, const Replies&) {
        return Replies{acknowledgement(sequence, EPERM)};
    });
    EXPECT_NE(refused.sentence.find("CAP_NET_ADMIN"), std::string::npos) << refused.sentence;
    const Made broken = change_with([](Holder&, std::uint32_t, const Replies& answer) { return cut(answer); });
    EXPECT_NE(broken.sentence.find(cut_off), std::string::npos) << broken.sentence;
}

// The tables of other instances, elements of which somebody may have claimed.
TEST(ListTest, IsNotTakenForEmptyWhereItIsRefused) {
    Progress progress;
    for (const int error : {EPERM, ENOMEM, EIO}) {
        Holder holder(ruleset_of(few));
        Kernel kernel = holder.kernel(progress);
        holder.deliver = [&](Message question, const Replies&) {
            return Replies{acknowledgement(header_of(question).nlmsg_seq, error)};
        };
        EXPECT_THROW(kernel.siblings(), CannotGoOn);
        EXPECT_THROW(kernel.flowtables(), CannotGoOn);
        Baseline::Record record;
        record.witnesses = {{Family::ipv4, "int2ext", *Address::parse("10.0.0.2")}};
        EXPECT_THROW(kernel.drift(record), CannotGoOn);
    }
}

// Every length that a datagram can be cut to.
TEST(CutTest, IsSaidAtEveryByte) {
    const Bytes set = fake::message((NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_NEWSET, NLM_F_MULTI, 1, Bytes(4, 0));
    const Bytes whole = fake::operator+(fake::operator+(set, set), done(1));
    for (std::size_t size = 0; size < whole.size(); ++size) {
        const Bytes part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
        Netlink netlink(std::make_unique<fake::FakeSocket>([&](Message) { return Replies{part}; }));
        EXPECT_THROW(netlink.ask(ask_sets(Family::ipv4, "statnat", 1), [](Message) {}), CannotGoOn) << size;
    }
}

}  // namespace
}  // namespace statnat
