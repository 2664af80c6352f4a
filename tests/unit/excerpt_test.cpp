// SPDX-License-Identifier: GPL-2.0-or-later
// What is done with a few elements in sight is what would be done with all: over random pairs inside pairs, by a kernel
// that holds a ruleset and answers what it is asked.
#include "commands/change.hpp"
#include "error.hpp"
#include "fake_socket.hpp"
#include "kernel_model.hpp"
#include "pairs/objections.hpp"
#include "ruleset/inventory.hpp"
#include "ruleset/layout.hpp"
#include "wire/questions.hpp"

#include <gtest/gtest.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace statnat {
namespace {

using fake::acknowledgement;
using fake::done;
using fake::FakeSocket;
using fake::header_of;
using fake::Replies;

int type_of(Message message) {
    return header_of(message).nlmsg_type & 0xff;
}

// What stands in the attribute that names a map.
std::string map_of(Message message) {
    std::string name;
    for (std::size_t at = sizeof(nlmsghdr) + 4; at + sizeof(nlattr) <= message.size();) {
        nlattr attribute{};
        std::memcpy(&attribute, &message[at], sizeof attribute);
        if (attribute.nla_type == NFTA_SET_ELEM_LIST_SET) {
            name = reinterpret_cast<const char*>(&message[at + sizeof attribute]);
        }
        at += NLA_ALIGN(attribute.nla_len);
    }
    return name;
}

class Holder {
public:
    explicit Holder(const Ruleset& ruleset) : ruleset_(ruleset) {
        // The form of what is dumped is that of the batch that makes it.
        batch_ = encode(plan(ruleset, {}), "statnat", 1, 1).bytes;
    }

    int dumps = 0;    // of the elements of a map, to their end
    bool full = false;  // no map has room

    Kernel kernel(Progress& progress) {
        const auto talk = [this] {
            return std::make_unique<FakeSocket>([this](Message datagram) {
                return answer(datagram);
            });
        };
        return {{talk, talk}, {}, progress, std::chrono::seconds(0)};
    }

private:
    Replies answer(Message question) {
        const nlmsghdr header = header_of(question);
        if (header.nlmsg_type == NFNL_MSG_BATCH_BEGIN) {
            return answer_batch(question);
        }
        switch (type_of(question)) {
        case NFT_MSG_GETGEN: {
            const Bytes generation{NFPROTO_UNSPEC, 0, 0, 0, 8, 0, NFTA_GEN_ID, 0, 0, 0, 0, 7};
            return {fake::message((NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_NEWGEN, 0, header.nlmsg_seq, generation),
                    acknowledgement(header.nlmsg_seq)};
        }
        case NFT_MSG_GETTABLE:
            return all(NFT_MSG_NEWTABLE, question, acknowledgement(header.nlmsg_seq));
        case NFT_MSG_GETSET:
            return all(NFT_MSG_NEWSET, question, done(header.nlmsg_seq));
        case NFT_MSG_GETCHAIN:
            return all(NFT_MSG_NEWCHAIN, question, done(header.nlmsg_seq));
        case NFT_MSG_GETRULE:
            return all(NFT_MSG_NEWRULE, question, done(header.nlmsg_seq));
        default:
            return header.nlmsg_flags & NLM_F_DUMP ? dump(question) : one(question);
        }
    }

    Replies all(int type, Message question, const Bytes& end) const {
        Replies replies;
        for (const Message message : fake::split(batch_)) {
            if (type_of(message) == type && message[sizeof(nlmsghdr)] == question[sizeof(nlmsghdr)]) {
                replies.emplace_back(numbered(message, question));
            }
        }
        if (replies.empty() && type == NFT_MSG_NEWTABLE) {
            return {acknowledgement(header_of(question).nlmsg_seq, ENOENT)};
        }
        replies.emplace_back(end);
        return replies;
    }

    static Bytes numbered(Message message, Message question) {
        Bytes bytes(message.begin(), message.end());
        reinterpret_cast<nlmsghdr*>(bytes.data())->nlmsg_seq = header_of(question).nlmsg_seq;
        return bytes;
    }

    Replies dump(Message question) {
        ++dumps;
        Replies replies;
        for (const Message message : fake::split(batch_)) {
            if (type_of(message) == NFT_MSG_NEWSETELEM && message[sizeof(nlmsghdr)] == question[sizeof(nlmsghdr)] &&
                map_of(message) == map_of(question)) {
                replies.emplace_back(numbered(message, question));
            }
        }
        replies.emplace_back(done(header_of(question).nlmsg_seq));
        return replies;
    }

    // The key is found by what the question for it would be.
    Replies one(Message question) const {
        const std::uint32_t sequence = header_of(question).nlmsg_seq;
        for (const Table& table : ruleset_) {
            for (const Map& map : table.maps) {
                for (std::size_t i = 0; i < map.elements.size() && map.name == map_of(question); ++i) {
                    const Bytes same = ask_element(table.family, "statnat", map.name, map.elements.key(i), sequence);
                    if (std::equal(same.begin(), same.end(), question.begin(), question.end())) {
                        Map single{.name = map.name, .values = map.values, .elements = {map.elements[i]}};
                        const Bytes bytes = encode({AddElements{table.family, single}}, "statnat", 1, 1).bytes;
                        return {numbered(fake::split(bytes)[1], question), acknowledgement(sequence)};
                    }
                }
            }
        }
        return {acknowledgement(sequence, ENOENT)};
    }

    Replies answer_batch(Message batch) const {
        Replies replies;
        for (const Message message : fake::split(batch)) {
            if (full && type_of(message) == NFT_MSG_NEWSETELEM) {
                return {acknowledgement(header_of(message).nlmsg_seq, ENFILE)};
            }
            if (header_of(message).nlmsg_flags & NLM_F_ACK) {
                replies.emplace_back(acknowledgement(header_of(message).nlmsg_seq));
            }
        }
        return replies;
    }

    Ruleset ruleset_;
    Bytes batch_;
};

Pair make_pair(const std::string& internal, const std::string& external, bool npt = false) {
    return {*Prefix::parse(internal), *Prefix::parse(external), npt, ""};
}

Configuration configuration_of(const std::vector<Pair>& pairs) {
    Configuration configuration;
    configuration.counters = Counters::off;
    configuration.pairs = Pairs(pairs);
    return configuration;
}

Ruleset ruleset_of(const std::vector<Pair>& pairs, Engine engine = Engine::expression) {
    return layout(configuration_of(pairs), engine);
}

Proposal proposal_of(const Pair& pair) {
    return {pair.internal, pair.external, pair.npt, {}};
}

// As `add` and `del` do it.
Ruleset with(const Ruleset& actual, const Pair& pair) {
    const Inventory found = inventory(actual);
    if (const auto reason = why_not(proposal_of(pair), found.pairs)) {
        throw CannotGoOn{*reason};
    }
    Configuration wanted = found.configuration();
    wanted.pairs.push_back(pair);
    wanted.pairs.sort();
    return layout(wanted, found.engine.value_or(Engine::expression));
}

Ruleset without(const Ruleset& actual, const Prefix& side) {
    const Inventory found = inventory(actual);
    auto leaving = found.pairs.find(side, Side::internal);
    leaving = leaving ? leaving : found.pairs.find(side, Side::external);
    if (!leaving) {
        throw CannotGoOn{"no pair has this"};
    }
    Configuration wanted = found.configuration();
    wanted.pairs = wanted.pairs.without(*leaving);
    if (const auto reason = why_not_without(wanted.pairs)) {
        throw CannotGoOn{*reason};
    }
    return layout(wanted, found.engine.value_or(Engine::expression));
}

struct Done {
    Ruleset after;  // empty: refused
    int dumps;
};

template <typename Decide>
Done change_held(const Ruleset& held, const Candidate& around, Decide decide, bool full = false) {
    Holder holder(held);
    holder.full = full;
    Progress progress;
    Kernel kernel = holder.kernel(progress);
    try {
        const Change change = change_around(kernel, around, decide);
        return {KernelModel(held).commit(change.plan), holder.dumps};
    } catch (const CannotGoOn&) {
        return {{}, holder.dumps};
    }
}

Done add(const Ruleset& held, const Pair& pair) {
    return change_held(held, {pair.internal, pair.external, pair.npt},
                       [&](const Ruleset& actual) { return with(actual, pair); });
}

Done del(const Ruleset& held, const Prefix& side) {
    return change_held(held, {side, {}, false}, [&](const Ruleset& actual) { return without(actual, side); });
}

// Begun and not read to its end, for each kind of pair: see Excerpt.
constexpr int glance = 1;

const std::vector<Pair> hosts{make_pair("10.0.0.2", "198.51.100.2"), make_pair("10.0.0.3", "198.51.100.3"),
                              make_pair("10.0.0.18", "198.51.100.18")};

TEST(Excerpt, IsEnoughForAHostAmongHosts) {
    for (const Engine engine : {Engine::native, Engine::expression}) {
        const Ruleset held = ruleset_of(hosts, engine);
        std::vector<Pair> more = hosts;
        more.push_back(make_pair("10.9.9.9", "192.0.2.9"));
        const Done added = add(held, more.back());
        EXPECT_TRUE(plan(ruleset_of(more, engine), added.after).empty());
        EXPECT_EQ(added.dumps, glance);
        const Done deleted = del(ruleset_of(more, engine), more.back().external);
        EXPECT_TRUE(plan(held, deleted.after).empty());
        EXPECT_EQ(deleted.dumps, glance);
    }
}

TEST(Excerpt, IsNotEnough) {
    const Pair wide = make_pair("10.1.0.0/24", "203.0.113.0/24");
    const Pair more = make_pair("10.1.0.9", "192.0.2.9");
    std::vector<Pair> both = hosts;
    both.push_back(wide);
    EXPECT_GT(add(ruleset_of(hosts), wide).dumps, glance);              // what may be inside
    EXPECT_GT(del(ruleset_of(both), wide.internal).dumps, glance);
    EXPECT_GT(add(ruleset_of({wide}), more).dumps, glance);             // maps that are to be made
    EXPECT_GT(del(ruleset_of({more}), more.internal).dumps, glance);    // and that are to go
    EXPECT_GT(add(ruleset_of(hosts), hosts[1]).dumps, glance);          // what is refused
    EXPECT_TRUE(add(ruleset_of(hosts), hosts[1]).after.empty());
    Ruleset damaged = ruleset_of(hosts);
    damaged[0].chains[0].rules.clear();
    const Done repaired = add(damaged, more);
    EXPECT_GT(repaired.dumps, glance);
    both = hosts;
    both.push_back(more);
    EXPECT_TRUE(plan(ruleset_of(both), repaired.after).empty());
}

TEST(Excerpt, IsReadWholeWhenThereIsNoRoom) {
    const Pair more = make_pair("10.1.0.9", "192.0.2.9");
    const Done done = change_held(ruleset_of(hosts), {more.internal, more.external, false},
                                  [&](const Ruleset& actual) { return with(actual, more); }, true);
    EXPECT_EQ(done.dumps, glance + 2);
    EXPECT_TRUE(done.after.empty());  // this kernel has no room for a larger map, either
}

// ---- over random pairs inside pairs --------------------------------------------------------------------------------

class Random {
public:
    explicit Random(unsigned seed) : engine_(seed) {}

    std::uint32_t below(std::uint32_t end) { return std::uniform_int_distribution<std::uint32_t>(0, end - 1)(engine_); }

    Pair pair() {
        // In a part of a small network, so that most are inside of others.
        const auto length = static_cast<std::uint8_t>(below(2) == 0 ? 32 : 28 + below(5));
        const auto side = [&](std::uint8_t network) {
            return Prefix::of({Family::ipv4, {network, 0, 0, static_cast<std::uint8_t>(below(32))}}, length);
        };
        return {side(10), side(100), false, ""};
    }

private:
    std::mt19937 engine_;
};

std::vector<Pair> random_pairs(Random& random) {
    std::vector<Pair> pairs;
    for (std::uint32_t count = 2 + random.below(9); count > 0; --count) {
        std::vector<Pair> more = pairs;
        more.push_back(random.pair());
        if (!collide(Pairs(more))) {
            pairs = std::move(more);
        }
    }
    return pairs;
}

TEST(Excerpt, LeadsToTheSameAsTheWhole) {
    int by_excerpt = 0;
    int refused = 0;
    for (unsigned seed = 0; seed < 4000; ++seed) {
        Random random(seed);
        const std::vector<Pair> pairs = random_pairs(random);
        const Ruleset held = ruleset_of(pairs);
        const bool adds = random.below(2) == 0;
        const Pair pair = adds ? random.pair() : pairs[random.below(static_cast<std::uint32_t>(pairs.size()))];
        const Prefix side = random.below(2) == 0 ? pair.internal : pair.external;
        SCOPED_TRACE(std::to_string(seed) + (adds ? " add " : " del ") + pair.text());
        const Done done = adds ? add(held, pair) : del(held, side);
        Ruleset expected;
        try {
            expected = adds ? with(held, pair) : without(held, side);
        } catch (const CannotGoOn&) {
            EXPECT_TRUE(done.after.empty());
            ++refused;
            continue;
        }
        ASSERT_TRUE(plan(expected, done.after).empty());
        by_excerpt += done.dumps <= 5;  // as many as there are lengths
    }
    EXPECT_GT(by_excerpt, 500);
    EXPECT_GT(refused, 500);
}

}  // namespace
}  // namespace statnat
