// SPDX-License-Identifier: GPL-2.0-or-later
// Who claims an address: of two instances, against a model that asks the maps of each as the expression does.
#include "actual/claims.hpp"
#include "pairs/overlaps.hpp"
#include "ruleset/layout.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include <fmt/format.h>

namespace statnat {
namespace {

Pair pair(const std::string& internal, const std::string& external) {
    return {*Prefix::parse(internal), *Prefix::parse(external), false, ""};
}

Ruleset ruleset(Pairs pairs, const std::vector<std::string>& excluded = {}) {
    for (const std::string& one : excluded) {
        pairs.exclude(*Prefix::parse(one));
    }
    EXPECT_FALSE(collide(pairs));
    Configuration configuration;
    configuration.pairs = std::move(pairs);
    return layout(configuration, Engine::expression);
}

std::string contested(const Ruleset& desired, const Ruleset& theirs) {
    const auto sentences = statnat::contested(desired, {Sibling{Instance("red"), theirs}});
    return sentences.empty() ? "" : sentences.front().substr(0, sentences.front().find(','));
}

const Pair wide = pair("10.1.0.0/24", "203.0.113.0/24");
const Pair inside = pair("10.1.0.5", "198.51.100.5");
const Pair counterpart = pair("10.9.0.9", "203.0.113.5");

TEST(ClaimsTest, AreOfEachSide) {
    EXPECT_EQ(contested(ruleset({wide}), ruleset({inside})), "10.1.0.5 is an internal address of instance red");
    EXPECT_EQ(contested(ruleset({counterpart}), ruleset({wide})), "203.0.113.5 is an external address of instance red");
    EXPECT_EQ(contested(ruleset({wide}), ruleset({pair("10.2.0.0/24", "203.0.112.0/24")})), "");
}

TEST(ClaimsTest, AreAllPacketsWhereOneHasAFastPath) {
    Configuration configuration;
    configuration.pairs.push_back(pair("10.2.0.2", "203.0.112.2"));
    configuration.fast_path = true;
    const Ruleset fast = layout(configuration, Engine::expression);
    EXPECT_EQ(contested(fast, ruleset({wide})), "fast-path beside instance red: take it out");
    EXPECT_EQ(contested(ruleset({wide}), fast), "fast-path beside instance red: take it out");
    EXPECT_TRUE(statnat::contested(fast, {}).empty());
}

TEST(ClaimsTest, AreNotOfHoles) {
    const Ruleset with_hole = ruleset({wide}, {"10.1.0.5"});
    EXPECT_EQ(contested(with_hole, ruleset({inside})), "");
    EXPECT_EQ(contested(ruleset({counterpart}), with_hole), "");
    EXPECT_EQ(contested(ruleset({wide, inside}), ruleset({counterpart})), "");  // what an override leaves
    EXPECT_EQ(contested(with_hole, ruleset({pair("10.1.0.4/31", "198.51.100.4/31")})),
              "10.1.0.4 is an internal address of instance red");
    EXPECT_EQ(contested(ruleset({pair("10.1.0.4/31", "198.51.100.4/31")}), with_hole),
              "10.1.0.4 is an internal address of instance red");
}

TEST(ClaimsTest, AreOfPairsInHoles) {
    const Ruleset in_a_hole = ruleset({wide, inside}, {"10.1.0.0/28"});
    EXPECT_EQ(contested(in_a_hole, ruleset({pair("10.1.0.5", "198.51.100.6")})),
              "10.1.0.5 is an internal address of instance red");
    EXPECT_EQ(contested(in_a_hole, ruleset({pair("10.1.0.6", "198.51.100.6")})), "");
    EXPECT_EQ(contested(in_a_hole, ruleset({pair("10.1.0.16", "198.51.100.6")})),
              "10.1.0.16 is an internal address of instance red");
}

// Whom the longest map that has an address leads to; nobody by a hole.
bool has(const Ruleset& ruleset, Side side, const Address& address) {
    std::optional<MapRole> longest;
    bool pairs = false;
    for (const Map& map : ruleset.front().maps) {
        const auto role = MapRole::of(map, Family::ipv4);
        const auto at = role && role->key == side
                            ? map.elements.find(Prefix::of(address, role->length).address) : std::nullopt;
        if (at && (!longest || longest->length < role->length)) {
            longest = role;
            pairs = !map.elements.is_its_own_value(*at);
        }
    }
    return pairs;
}

// Of 16 addresses on either side.
TEST(ClaimsTest, AreWhatMapsLeadTo) {
    std::mt19937 random(14);
    const auto number = [&](unsigned most) { return static_cast<unsigned>(random() % most); };
    const auto some = [&](const std::string& network, unsigned length) {
        return fmt::format("{}{}/{}", network, number(1U << (length - 28)) << (32 - length), length);
    };
    int apart = 0;
    for (int round = 0; round < 2'000; ++round) {
        std::vector<Ruleset> both;
        while (both.size() < 2) {
            Pairs pairs;
            for (unsigned i = 0; i <= number(3); ++i) {
                const unsigned length = 28 + number(5);
                pairs.push_back(pair(some("10.0.0.", length), some("192.0.2.", length)));
            }
            pairs.sort();
            for (unsigned i = 0; i < number(3); ++i) {
                pairs.exclude(*Prefix::parse(some("10.0.0.", 29 + number(4))));
            }
            Configuration configuration;
            configuration.pairs = pairs;
            if (!collide(pairs)) {
                both.push_back(layout(configuration, Engine::expression));
            }
        }
        bool expected = false;
        for (unsigned i = 0; i < 16; ++i) {
            for (const auto& [side, network] : {std::pair(Side::internal, "10.0.0."), {Side::external, "192.0.2."}}) {
                const Address address = *Address::parse(network + std::to_string(i));
                expected = expected || (has(both[0], side, address) && has(both[1], side, address));
            }
        }
        ASSERT_EQ(!contested(both[0], both[1]).empty(), expected) << round;
        ASSERT_EQ(!contested(both[1], both[0]).empty(), expected) << round;
        apart += !expected;
    }
    EXPECT_GT(apart, 100);
}

// Where rules stay as they are.
TEST(ClaimsTest, AreMadeByTheEndOfAHole) {
    const auto claims = [](const Ruleset& desired, const Ruleset& actual) {
        const Plan steps = plan(desired, actual);
        EXPECT_EQ(steps.size(), 2U);  // elements of two maps
        return claims_any(steps);
    };
    const Pair first = pair("10.1.0.6", "203.0.113.6");
    const Pair last = pair("10.1.0.8", "203.0.113.8");
    const Pairs pairs{wide, first, last};
    EXPECT_TRUE(claims(ruleset(pairs), ruleset(pairs, {"10.1.0.7"})));
    EXPECT_FALSE(claims(ruleset(pairs), ruleset({wide, first, pair("10.1.0.7", "203.0.113.7"), last})));
}

}  // namespace
}  // namespace statnat
