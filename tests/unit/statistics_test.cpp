// SPDX-License-Identifier: GPL-2.0-or-later
// What is told of packets, and what is not known.
#include "reports/statistics_text.hpp"

#include "ruleset/layout.hpp"

#include <algorithm>
#include <string>

#include <gtest/gtest.h>

namespace statnat {
namespace {

Ruleset example(Engine engine, Counters counters, std::size_t exempt = 1) {
    Configuration configuration;
    configuration.counters = counters;
    configuration.pairs.push_back({*Prefix::parse("10.0.0.2"), *Prefix::parse("198.51.100.2")});
    configuration.pairs.sort();
    for (std::size_t i = 0; i < exempt; ++i) {
        configuration.exempt_destinations.push_back(Prefix::parse("10." + std::to_string(2 * i) + ".0.0/16").value());
    }
    Ruleset ruleset = layout(configuration, engine);
    for (Chain& chain : ruleset.at(0).chains) {
        for (Rule& rule : chain.rules) {
            rule.dropped = 10;
            rule.counts = Counts{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13};
            rule.traffic = {100, 9000};
        }
    }
    return ruleset;
}

std::size_t rules_with_expression(const Ruleset& ruleset) {
    std::size_t count = 0;
    for (const Chain& chain : ruleset.at(0).chains) {
        for (const Rule& rule : chain.rules) {
            count += std::any_of(rule.statements.begin(), rule.statements.end(), [](const Statement& one) {
                return std::holds_alternative<SnatStateless>(one);
            });
        }
    }
    return count;
}

Told of(const Ruleset& ruleset, std::string_view name) {
    const FamilyStatistics told = statistics(ruleset).at(0);
    for (std::size_t i = 0; i < statistic_count; ++i) {
        if (all_statistics[i].name == name) {
            return told.told[i];
        }
    }
    throw std::out_of_range(std::string(name));
}

TEST(Statistics, AddsUpWhatRulesTell) {
    const Ruleset ruleset = example(Engine::expression, Counters::rule);
    const std::size_t rules = rules_with_expression(ruleset);
    EXPECT_EQ(of(ruleset, "malformed").packets, rules * 1);
    EXPECT_EQ(of(ruleset, "ipsec").packets, rules * 4);
    EXPECT_EQ(of(ruleset, "exempt").packets, rules * 7);
    EXPECT_EQ(of(ruleset, "quotes").packets, rules * 11);
    EXPECT_EQ(of(ruleset, "shortcuts").packets, rules * 12);
    EXPECT_EQ(of(ruleset, "detours").packets, rules * 13);
    EXPECT_EQ(of(ruleset, "dropped").packets, rules * 10);
    EXPECT_EQ(of(ruleset, "translated_outbound").packets, 100U);
    EXPECT_EQ(of(ruleset, "translated_inbound").packets, 100U);
}

TEST(Statistics, DoesNotKnowWhatNobodyCounts) {
    for (const std::string_view name : {"errors", "exempt", "dropped", "redirects"}) {
        EXPECT_FALSE(of(example(Engine::native, Counters::pair), name).packets) << name;
    }
    EXPECT_EQ(of(example(Engine::native, Counters::pair), "translated_outbound").packets, 0U);
    EXPECT_FALSE(of(example(Engine::native, Counters::off), "translated_outbound").packets);
    EXPECT_FALSE(of(example(Engine::expression, Counters::pair, 9), "exempt").packets);
    EXPECT_TRUE(of(example(Engine::expression, Counters::pair, 9), "local").packets);
}

TEST(Statistics, SaysThatAnOlderModuleDoesNotTell) {
    Ruleset ruleset = example(Engine::expression, Counters::pair);
    ruleset.at(0).chains.back().rules.back().counts.reset();
    EXPECT_FALSE(of(ruleset, "malformed").packets);
    EXPECT_TRUE(of(ruleset, "dropped").packets);
    const std::string text = as_text(statistics(ruleset), false, "statnat");
    EXPECT_NE(text.find("\nunknown: the kernel's module does not tell"), std::string::npos) << text;
    EXPECT_EQ(text.find(" malformed                               0"), std::string::npos) << text;
}

TEST(Statistics, ExplainsEach) {
    const std::string text = as_text(statistics(example(Engine::expression, Counters::pair)), true, "statnat");
    for (const Statistic& one : all_statistics) {
        EXPECT_NE(text.find(std::string(": ").append(one.sentence) + "\n"), std::string::npos) << one.name;
    }
}

}  // namespace
}  // namespace statnat
