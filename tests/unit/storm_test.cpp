// SPDX-License-Identifier: GPL-2.0-or-later
// Others who commit at every moment, without a kernel: what was read stays good until they touch our tables.
#include "actual/kernel.hpp"
#include "error.hpp"
#include "fake_socket.hpp"
#include "wire/questions.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include <functional>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

namespace statnat {
namespace {

using fake::acknowledgement;
using fake::done;
using fake::FakeSocket;
using fake::header_of;
using fake::operator+;
using fake::Replies;
using fake::Reply;

constexpr std::uint16_t type_of(int type) {
    return static_cast<std::uint16_t>((NFNL_SUBSYS_NFTABLES << 8) | type);
}

Bytes attribute(std::uint16_t type, const Bytes& value) {
    const nlattr header{static_cast<std::uint16_t>(sizeof(nlattr) + value.size()), type};
    Bytes bytes(sizeof header);
    std::memcpy(bytes.data(), &header, sizeof header);
    bytes = bytes + value;
    bytes.resize(NLA_ALIGN(bytes.size()));
    return bytes;
}

Bytes attribute(std::uint16_t type, const std::string& text) {
    return attribute(type, Bytes(text.c_str(), text.c_str() + text.size() + 1));
}

Bytes attribute(std::uint16_t type, std::uint32_t number) {
    number = htonl(number);
    Bytes value(sizeof number);
    std::memcpy(value.data(), &number, sizeof number);
    return attribute(type, value);
}

Bytes told(int type, std::uint8_t family, std::uint32_t sequence, const Bytes& attributes) {
    return fake::message(type_of(type), 0, sequence, Bytes{family, 0, 0, 0} + attributes);
}

// What a transaction changed, by the message that tells it.
Bytes change_of(const std::string& table, std::uint8_t family = NFPROTO_IPV4, int type = NFT_MSG_NEWSETELEM) {
    return told(type, family, 0, attribute(NFTA_SET_ELEM_LIST_TABLE, table));
}

// A kernel with an empty table of ours, in which others commit whenever something is asked.
class Busy {
public:
    std::uint32_t generation = 7;
    std::function<void(Busy&, const nlmsghdr& question)> meanwhile = [](Busy&, const nlmsghdr&) {};
    bool interrupts = false;      // dumps are marked so
    int asked = 0;                // for our table
    std::vector<std::uint32_t> sent;  // the generations that batches of ours were for
    std::function<void(Busy&)> before_batch = [](Busy&) {};

    // A transaction of somebody else's; returns what it is told by.
    void commit(const std::vector<Bytes>& changes, const std::string& process = "bouncer") {
        generation = generation_after(generation);
        for (const Bytes& change : changes) {
            tell(change);
        }
        tell(told(NFT_MSG_NEWGEN, NFPROTO_UNSPEC, 0,
                  attribute(NFTA_GEN_ID, generation) + attribute(NFTA_GEN_PROC_PID, 4711U) +
                      attribute(NFTA_GEN_PROC_NAME, process)));
    }
    void tell(Reply event) {
        if (listener_) {
            listener_->tell(std::move(event));
        }
    }
    bool is_heard() const { return listener_ != nullptr; }

    Replies answer(Message datagram) {
        const nlmsghdr header = header_of(datagram);
        if (header.nlmsg_type == NFNL_MSG_BATCH_BEGIN) {
            return answer_batch(datagram);
        }
        meanwhile(*this, header);
        switch (header.nlmsg_type & 0xff) {
        case NFT_MSG_GETGEN:
            return {told(NFT_MSG_NEWGEN, NFPROTO_UNSPEC, header.nlmsg_seq, attribute(NFTA_GEN_ID, generation)),
                    acknowledgement(header.nlmsg_seq)};
        case NFT_MSG_GETTABLE:
            return answer_table(datagram);
        default:
            return {done(header.nlmsg_seq, 0, interrupts ? NLM_F_MULTI | NLM_F_DUMP_INTR : NLM_F_MULTI)};
        }
    }

    Kernel kernel(Progress& progress) {
        return {{[this] { return std::make_unique<FakeSocket>([this](Message datagram) { return answer(datagram); }); },
                 [this] { return std::make_unique<Listener>(*this); }},
                {},
                progress,
                std::chrono::seconds(0)};
    }

private:
    class Listener final : public Socket {
    public:
        explicit Listener(Busy& busy) : busy_(busy) { busy_.listener_ = &socket_; }
        ~Listener() override { busy_.listener_ = nullptr; }
        ssize_t send(Message) override { return -1; }
        void wait(std::chrono::milliseconds, int) override {}
        ssize_t receive(std::span<std::uint8_t> buffer, bool wait) override { return socket_.receive(buffer, wait); }

    private:
        Busy& busy_;
        FakeSocket socket_{[](Message) { return Replies{}; }};
    };

    Replies answer_table(Message datagram) {
        const nlmsghdr header = header_of(datagram);
        if (datagram[sizeof(nlmsghdr)] != NFPROTO_IPV4) {
            return {acknowledgement(header.nlmsg_seq, ENOENT)};
        }
        ++asked;
        return {told(NFT_MSG_NEWTABLE, NFPROTO_IPV4, header.nlmsg_seq, attribute(NFTA_TABLE_NAME, "statnat")),
                acknowledgement(header.nlmsg_seq)};
    }

    Replies answer_batch(Message datagram) {
        before_batch(*this);
        std::uint32_t wanted = 0;
        std::memcpy(&wanted, datagram.data() + 24, sizeof wanted);
        sent.push_back(ntohl(wanted));
        const std::uint32_t sequence = header_of(datagram).nlmsg_seq;
        if (sent.back() != generation) {
            return {acknowledgement(sequence, ERESTART)};
        }
        commit({});
        Replies replies;
        for (const Message message : fake::split(datagram)) {
            if (header_of(message).nlmsg_flags & NLM_F_ACK) {
                replies.emplace_back(acknowledgement(header_of(message).nlmsg_seq));
            }
        }
        return replies;
    }

    FakeSocket* listener_ = nullptr;
};

void commits_elsewhere(Busy& busy, const nlmsghdr&) {
    busy.commit({change_of("crowdsec"), change_of("filter", NFPROTO_INET, NFT_MSG_NEWRULE)});
}

const Plan some_plan{DeleteTable{Family::ipv4}};

class StormTest : public testing::Test {
protected:
    Busy busy;
    Progress progress;
};

TEST_F(StormTest, WhatOthersDoElsewhereMattersToNobody) {
    Kernel kernel = busy.kernel(progress);
    // From the moment on in which it begins to listen.
    busy.meanwhile = [count = 0](Busy& to, const nlmsghdr& question) mutable {
        if (++count > 2) {
            commits_elsewhere(to, question);
        }
    };
    const Snapshot snapshot = kernel.read();
    EXPECT_EQ(snapshot.generation, busy.generation);
    EXPECT_EQ(busy.asked, 1);
    EXPECT_EQ(kernel.commit(some_plan, snapshot, {}), Committed::yes);
    EXPECT_FALSE(busy.is_heard());
}

TEST_F(StormTest, ABatchIsSentAgainForTheNextGeneration) {
    Kernel kernel = busy.kernel(progress);
    const Snapshot snapshot = kernel.read();
    busy.before_batch = [times = 0](Busy& to) mutable {
        if (++times < 3) {
            to.commit({change_of("crowdsec")});
        }
    };
    EXPECT_EQ(kernel.commit(some_plan, snapshot, {}), Committed::yes);
    EXPECT_EQ(busy.sent, (std::vector<std::uint32_t>{7, 8, 9}));
    EXPECT_EQ(busy.asked, 1);
}

TEST_F(StormTest, ABatchThatNeverFitsIsGivenUp) {
    Kernel kernel = busy.kernel(progress);
    const Snapshot snapshot = kernel.read();
    busy.before_batch = [](Busy& to) { to.commit({change_of("crowdsec")}); };
    EXPECT_EQ(kernel.commit(some_plan, snapshot, {}), Committed::outdated);
    EXPECT_EQ(kernel.out_of_patience("at last").sentence,
              "bouncer (process 4711) changes the ruleset all the time: gave up after 0 seconds, at last: try again "
              "while it pauses");
}

struct Doubt {
    const char* why;
    std::vector<Bytes> changes;
    bool ours = true;
};

TEST_F(StormTest, WhatOthersDoToOurTablesIsReadAgain) {
    const std::vector<Doubt> all{
        {"an element", {change_of("statnat")}},
        {"an element of IPv6", {change_of("statnat", NFPROTO_IPV6)}},
        {"an element that goes", {change_of("statnat", NFPROTO_IPV4, NFT_MSG_DELSETELEM)}},
        {"the table", {change_of("statnat", NFPROTO_IPV4, NFT_MSG_DELTABLE)}},
        {"a table", {change_of("statnat", NFPROTO_IPV4, NFT_MSG_NEWTABLE)}},
        {"a chain", {change_of("statnat", NFPROTO_IPV4, NFT_MSG_NEWCHAIN)}},
        {"a rule among others", {change_of("other"), change_of("statnat", NFPROTO_IPV4, NFT_MSG_DELRULE)}},
        {"a set beside others in one datagram", {change_of("other") + change_of("statnat") + change_of("other")}},
        {"a table of the same name in another family", {change_of("statnat", NFPROTO_INET)}, false},
        {"a table of a longer name", {change_of("statnat2")}, false},
        {"nothing that is told", {}, false},
    };
    for (const Doubt& doubt : all) {
        SCOPED_TRACE(doubt.why);
        Busy again;
        again.meanwhile = [&, happened = false](Busy& to, const nlmsghdr& question) mutable {
            if (question.nlmsg_type == type_of(NFT_MSG_GETRULE) && !happened) {
                happened = true;
                to.commit(doubt.changes);
            }
        };
        Kernel kernel = again.kernel(progress);
        EXPECT_EQ(kernel.read().generation, 8U);
        EXPECT_EQ(again.asked, doubt.ours ? 2 : 1);
        again.before_batch = [&](Busy& to) { to.commit(doubt.changes); to.before_batch = [](Busy&) {}; };
        EXPECT_EQ(kernel.commit(some_plan, Snapshot{.generation = 8}, {}),
                  doubt.ours ? Committed::outdated : Committed::yes);
    }
}

TEST_F(StormTest, WhatWasNotHeardIsReadAgain) {
    const std::vector<std::pair<const char*, std::function<void(Busy&)>>> all{
        {"lost for want of room",
         [](Busy& to) {
             to.tell(ENOBUFS);
             to.commit({});
         }},
        {"a generation left out",
         [](Busy& to) {
             ++to.generation;
             to.commit({});
         }},
        {"told no more", [](Busy& to) { ++to.generation; }},
        {"one that was under way when it began",
         [](Busy& to) {
             --to.generation;
             to.commit({});
         }},
        {"cut off", [](Busy& to) { to.commit({Bytes(8)}); }},
    };
    for (const auto& [why, happens] : all) {
        SCOPED_TRACE(why);
        Busy again;
        again.meanwhile = [&, happened = false](Busy& to, const nlmsghdr& question) mutable {
            if (question.nlmsg_type == type_of(NFT_MSG_GETRULE) && !happened) {
                happened = true;
                happens(to);
                to.commit({change_of("other")});
            }
        };
        Kernel kernel = again.kernel(progress);
        EXPECT_EQ(kernel.read().generation, again.generation);
        EXPECT_EQ(again.asked, 2);
    }
}

// Between two looks, by process; what this tool did itself hides nobody else.
TEST_F(StormTest, WhoeverChangedOurTablesIsTold) {
    struct Transaction {
        const char* table;
        const char* process;
    };
    const std::vector<std::tuple<const char*, std::vector<Transaction>, const char*>> all{
        {"another", {{"statnat", "bouncer"}}, "bouncer"},
        {"this tool", {{"statnat", "statnat-nft"}}, "statnat-nft"},
        {"another, and then this tool", {{"statnat", "bouncer"}, {"statnat", "statnat-nft"}}, "bouncer"},
        {"this tool, and then another", {{"statnat", "statnat-nft"}, {"statnat", "bouncer"}}, "bouncer"},
        {"others, the last elsewhere", {{"other", "docker"}, {"statnat", "bouncer"}, {"other", "docker"}}, "bouncer"},
        {"this tool, others elsewhere", {{"statnat", "statnat-nft"}, {"other", "docker"}}, "statnat-nft"},
    };
    Kernel kernel = busy.kernel(progress);
    EXPECT_FALSE(kernel.wait({}));
    for (const auto& [why, transactions, by] : all) {
        SCOPED_TRACE(why);
        for (const auto& [table, process] : transactions) {
            busy.commit({change_of(table)}, process);
        }
        const auto disturbance = kernel.wait({});
        EXPECT_TRUE(disturbance && disturbance->by);
        EXPECT_EQ(disturbance->by->process, by);
        EXPECT_FALSE(kernel.wait({}));
    }
}

TEST_F(StormTest, NobodyIsNamedWhereSomethingWasNotHeard) {
    Kernel kernel = busy.kernel(progress);
    EXPECT_FALSE(kernel.wait({}));
    busy.commit({change_of("statnat")}, "statnat-nft");
    busy.tell(ENOBUFS);
    const auto disturbance = kernel.wait({});
    EXPECT_TRUE(disturbance && !disturbance->by);
    EXPECT_FALSE(kernel.wait({}));
    busy.commit({change_of("statnat")});
    EXPECT_TRUE(kernel.wait({}));
}

TEST_F(StormTest, GenerationsGoOnPastZero) {
    busy.generation = 0xffffffff;
    busy.meanwhile = [](Busy& to, const nlmsghdr& question) {
        if (question.nlmsg_type == type_of(NFT_MSG_GETRULE)) {
            to.commit({change_of("other")});
        }
    };
    Kernel kernel = busy.kernel(progress);
    EXPECT_EQ(kernel.read().generation, 1U);
    EXPECT_EQ(busy.asked, 1);
}

// Where nothing is dumped for long, listening would cost others more than it gains.
TEST_F(StormTest, NobodyListensWithoutNeed) {
    Kernel kernel = busy.kernel(progress);
    EXPECT_EQ(kernel.read(Depth::known).generation, 7U);
    EXPECT_FALSE(busy.is_heard());
    busy.before_batch = [](Busy& to) { to.commit({change_of("other")}); };
    EXPECT_EQ(kernel.commit(some_plan, Snapshot{.generation = 7}, {}), Committed::outdated);
}

TEST_F(StormTest, NobodyListensToAThousandThousandElements) {
    Kernel kernel = busy.kernel(progress);
    const Snapshot snapshot = kernel.read();
    EXPECT_TRUE(busy.is_heard());
    Map map{.name = "int2ext", .elements = {}};
    for (std::uint32_t i = 0; i < 50000; ++i) {
        const auto byte = [&](int shift) { return static_cast<std::uint8_t>(i >> shift); };
        const Address address{Family::ipv4, {10, byte(16), byte(8), byte(0)}};
        map.elements.push_back(address, address);
    }
    busy.before_batch = [](Busy& to) { EXPECT_FALSE(to.is_heard()); };
    EXPECT_EQ(kernel.commit({AddElements{Family::ipv4, map}}, snapshot, {}), Committed::yes);
}

TEST_F(StormTest, ListsAreAskedForAgainWhenTheyWereInterrupted) {
    busy.interrupts = true;
    int lists = 0;
    busy.meanwhile = [&](Busy& to, const nlmsghdr& question) {
        if (question.nlmsg_type == type_of(NFT_MSG_GETCHAIN)) {
            to.interrupts = ++lists < 2;
        } else if (question.nlmsg_type == type_of(NFT_MSG_GETSET)) {
            to.interrupts = false;
        }
    };
    Kernel kernel = busy.kernel(progress);
    kernel.read();
    EXPECT_EQ(lists, 2);
    EXPECT_EQ(busy.asked, 1);
}

TEST_F(StormTest, ReadingIsGivenUpAtLast) {
    busy.meanwhile = [](Busy& to, const nlmsghdr& question) {
        if (question.nlmsg_type == type_of(NFT_MSG_GETRULE)) {
            to.commit({change_of("statnat")});
        }
    };
    Kernel kernel = busy.kernel(progress);
    try {
        kernel.read();
        FAIL();
    } catch (const CannotGoOn& error) {
        EXPECT_EQ(error.sentence,
                  "bouncer (process 4711) changes the ruleset all the time: gave up after 0 seconds, while reading it: "
                  "try again while it pauses");
    }
    EXPECT_EQ(busy.asked, 3);
}

}  // namespace
}  // namespace statnat
