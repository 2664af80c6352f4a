// SPDX-License-Identifier: GPL-2.0-or-later
// Which policy rules and routes hold packets back, for pairs of all kinds.
#include "fence/fence.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace statnat {
namespace {

using Lines = std::vector<std::string>;

Prefix prefix(const std::string& text) {
    return *Prefix::parse(text);
}

Configuration closed(const std::vector<std::pair<std::string, std::string>>& sides) {
    std::vector<Pair> pairs;
    for (const auto& [internal, external] : sides) {
        pairs.push_back({prefix(internal), prefix(external)});
    }
    Configuration configuration;
    configuration.fail_closed = true;
    configuration.pairs = Pairs(pairs);
    return configuration;
}

// So many hosts, each of which is `step` addresses behind the one before.
Configuration hosts(std::uint32_t count, std::uint32_t step) {
    Configuration configuration;
    configuration.fail_closed = true;
    for (std::uint32_t i = 0; i < count; ++i) {
        const auto side = [&](std::uint8_t network) {
            const std::uint32_t at = i * step;
            return Address{Family::ipv4, {network, static_cast<std::uint8_t>(at >> 16),
                                          static_cast<std::uint8_t>(at >> 8), static_cast<std::uint8_t>(at)}};
        };
        configuration.pairs.push_back({Family::ipv4, 32}, side(10), side(198));
    }
    configuration.pairs.sort();
    return configuration;
}

std::size_t sources(const Fence& fence) {
    return static_cast<std::size_t>(std::count_if(fence.rules.begin(), fence.rules.end(), [](const PolicyRule& rule) {
        return rule.station == Station::outbound;
    }));
}

TEST(Fence, IsWhatPairsAskFor) {
    Configuration configuration = closed({{"10.0.0.2", "198.51.100.2"}, {"10.0.0.3", "198.51.100.9"}});
    configuration.exempt_destinations = {prefix("10.0.0.0/8"), prefix("10.1.0.0/16"), prefix("fd00::/8")};
    EXPECT_EQ(lines(fence(configuration)), (Lines{
        "policy rule 1: from all iif lo goto 5",
        "policy rule 1: from all fwmark 0x8000000/0x8000000 goto 5",
        "policy rule 2: from all lookup 83",
        "policy rule 3: from all to 10.0.0.0/8 goto 5",
        "policy rule 4: from 10.0.0.2/31 blackhole",
        "policy rule 5: from all nop",
        "route to 198.51.100.2 in table 83",
        "route to 198.51.100.9 in table 83",
        "setting net.ipv4.conf.all.src_valid_mark = 1",
    }));
    configuration.fail_closed = false;
    EXPECT_TRUE(fence(configuration).empty());
    EXPECT_TRUE(fence(closed({})).empty());
}

TEST(Fence, HasAFilterOnEachExternalInterface) {
    Configuration configuration = closed({{"10.0.0.2", "198.51.100.2"}});
    configuration.external_interfaces = {"wan0", "ppp*"};
    configuration.mark = 0x80000000;
    const Fence found = fence(configuration, {"lan0", "ppp0", "ppp17", "wan0", "wan01"});
    EXPECT_EQ(found.filters, (std::set<Filter>{{"ppp0", 0x80000000}, {"ppp17", 0x80000000}, {"wan0", 0x80000000}}));
    EXPECT_EQ(lines(found).back(), "filter on wan0: drop fwmark 0x80000000/0x80000000");
    EXPECT_TRUE(fence(configuration).filters.empty());
    EXPECT_EQ(breaches(found, without(found, {.filters = {{"ppp0", 0x80000000}}})),
              Lines{"+ filter on ppp0: drop fwmark 0x80000000/0x80000000"});
    configuration.pairs = {};
    EXPECT_TRUE(fence(configuration, {"wan0"}).empty());
}

TEST(Fence, OfIPv6AsksForNoSetting) {
    EXPECT_EQ(lines(fence(closed({{"fd00:1::/64", "2001:db8:1::/64"}}))), (Lines{
        "IPv6 policy rule 1: from all iif lo goto 5",
        "IPv6 policy rule 1: from all fwmark 0x8000000/0x8000000 goto 5",
        "IPv6 policy rule 2: from all lookup 83",
        "IPv6 policy rule 4: from fd00:1::/64 blackhole",
        "IPv6 policy rule 5: from all nop",
        "route to 2001:db8:1::/64 in table 83",
    }));
}

// Nobody is behind 203.0.113.5, but for a pair that has just that.
TEST(Fence, HoldsBackFurtherExternals) {
    Configuration configuration = closed({{"10.0.0.2", "198.51.100.2"}});
    configuration.pairs.push_back({prefix("10.0.0.2"), prefix("203.0.113.9"), false, "", true});
    configuration.pairs.sort();
    const Fence wanted = fence(configuration);
    EXPECT_EQ(wanted.routes, (std::set<Prefix>{prefix("198.51.100.2"), prefix("203.0.113.9")}));
    EXPECT_EQ(std::count_if(wanted.rules.begin(), wanted.rules.end(),
                            [](const PolicyRule& rule) { return rule.station == Station::outbound; }),
              1);
}

TEST(Fence, LeavesHolesAlone) {
    const Fence with_hole = fence(closed({{"10.1.0.0/29", "203.0.113.0/29"}, {"10.1.0.5", "198.51.100.5"}}));
    EXPECT_EQ(with_hole.routes, (std::set<Prefix>{prefix("198.51.100.5"), prefix("203.0.113.0/30"),
                                                  prefix("203.0.113.4"), prefix("203.0.113.6/31")}));
    const Fence filled = fence(closed(
        {{"10.1.0.0/29", "203.0.113.0/29"}, {"10.1.0.5", "198.51.100.5"}, {"10.9.0.9", "203.0.113.5"}}));
    EXPECT_EQ(filled.routes, (std::set<Prefix>{prefix("198.51.100.5"), prefix("203.0.113.0/29")}));
    EXPECT_EQ(sources(filled), 2U);
}

TEST(Fence, LeavesAloneWhatIsExcluded) {
    Configuration configuration = closed({{"10.1.0.0/29", "203.0.113.0/29"}, {"10.1.0.5", "198.51.100.5"}});
    configuration.pairs.exclude(prefix("10.1.0.1"));
    configuration.pairs.exclude(prefix("10.1.0.4/30"));
    const Fence open = fence(configuration);
    EXPECT_EQ(open.routes, (std::set<Prefix>{prefix("198.51.100.5"), prefix("203.0.113.0"), prefix("203.0.113.2/31")}));
    std::set<Prefix> held_back;
    for (const PolicyRule& rule : open.rules) {
        if (rule.station == Station::outbound) {
            held_back.insert(*rule.prefix);
        }
    }
    EXPECT_EQ(held_back, (std::set<Prefix>{prefix("10.1.0.0"), prefix("10.1.0.2/31"), prefix("10.1.0.5")}));
}

TEST(Fence, HasFewRules) {
    EXPECT_EQ(sources(fence(hosts(65536, 1))), 1U);
    EXPECT_EQ(sources(fence(hosts(256, 2))), 256U);
    const Fence many = fence(hosts(1000, 64));
    EXPECT_LE(sources(many), most_sources);
    EXPECT_EQ(many.routes.size(), 1000U);
    EXPECT_TRUE(breaches(fence(hosts(1000, 64)), many).empty());
}

TEST(Fence, MayHoldBackMoreThanIsAskedFor) {
    const Fence wide = fence(closed({{"10.0.0.0/24", "198.51.100.0/24"}}));
    const Fence one = fence(closed({{"10.0.0.7", "198.51.100.7"}}));
    EXPECT_EQ(breaches(one, wide), Lines{});
    EXPECT_EQ(breaches(wide, one), (Lines{"+ policy rule 4: from 10.0.0.0/24 blackhole",
                                          "+ route to 198.51.100.0/24 in table 83"}));
    EXPECT_EQ(breaches(one, {}).size(), lines(one).size());
    EXPECT_EQ(breaches({}, one).size(), lines(one).size() - 1);  // the setting may be somebody else's
    EXPECT_EQ(changes(one, one), Lines{});
    EXPECT_EQ(joined(wide, one), wide);
    EXPECT_EQ(joined(fence(closed({{"10.0.0.2", "198.51.100.2"}})), fence(closed({{"10.0.0.3", "198.51.100.3"}}))),
              fence(closed({{"10.0.0.2", "198.51.100.2"}, {"10.0.0.3", "198.51.100.3"}})));
}

}  // namespace
}  // namespace statnat
