// SPDX-License-Identifier: GPL-2.0-or-later
// What is done with a few elements in sight is what would be done with all: over random pairs inside pairs, by a kernel
// that holds a ruleset and answers what it is asked.
#include "commands/change.hpp"
#include "error.hpp"
#include "holder.hpp"
#include "kernel_model.hpp"
#include "pairs/objections.hpp"
#include "ruleset/inventory.hpp"
#include "ruleset/layout.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <random>
#include <string>
#include <vector>

namespace statnat {
namespace {

using fake::Holder;

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
    both = hosts;
    both.push_back({hosts[0].internal, *Prefix::parse("192.0.2.7"), false, "", true});
    EXPECT_GT(del(ruleset_of(both), hosts[0].internal).dumps, glance);  // by which further addresses it is reached
    EXPECT_TRUE(plan(ruleset_of({hosts[1], hosts[2]}), del(ruleset_of(both), hosts[0].internal).after).empty());
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
