// SPDX-License-Identifier: GPL-2.0-or-later
// Who is to be answered for on which network, and what it takes, on machines that are made of tables.
#include "error.hpp"
#include "neighbours/announcement.hpp"
#include "neighbours/answers.hpp"
#include "neighbours/arp_chain.hpp"
#include "neighbours/steps.hpp"
#include "pairs/ranges.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace statnat {
namespace {

using Lines = std::vector<std::string>;

Address address(const std::string& text) {
    return *Address::parse(text);
}

Prefix prefix(const std::string& text) {
    return *Prefix::parse(text);
}

Range range(const std::string& first, const std::string& last) {
    return {address(first), address(last)};
}

Lines texts(const auto& prefixes) {
    Lines all;
    for (const Prefix& one : prefixes) {
        all.push_back(one.short_text());
    }
    return all;
}

Pairs pairs(const std::vector<std::pair<std::string, std::string>>& sides) {
    std::vector<Pair> all;
    for (const auto& [internal, external] : sides) {
        all.push_back({prefix(internal), prefix(external)});
    }
    return Pairs(all);
}

constexpr int wan = 2;
constexpr int lan = 3;
constexpr int tunnel = 4;
constexpr int ours = 9;

Neighbourhood surroundings() {
    Neighbourhood around;
    around.links[wan] = {"wan0", "", true, true};
    around.links[lan] = {"lan0", "", true, true};
    around.links[tunnel] = {"tun0", "", true, false};
    around.networks = {{prefix("192.0.2.0/24"), wan}, {prefix("10.0.0.0/24"), lan}, {prefix("203.0.113.0/24"), tunnel},
                       {prefix("2001:db8:2::/64"), wan}};
    around.own = {address("192.0.2.1"), address("10.0.0.1"), address("203.0.113.1"), address("2001:db8:2::1")};
    around.routers = {address("192.0.2.254")};
    return around;
}

// As it is once the steps are taken.
Neighbourhood settled(Neighbourhood around, const Answers& wanted) {
    around.links[ours] = {std::string(neighbours_device), std::string(neighbours_alias), true, false};
    for (const Prefix& one : wanted.routes) {
        around.our_routes.insert({one, ours});
    }
    around.our_proxies = wanted.proxies;
    return around;
}

TEST(RangesTest, MergesWhatTouches) {
    EXPECT_EQ(merged({range("10.0.0.4", "10.0.0.5"), range("10.0.0.0", "10.0.0.3"), range("10.0.0.7", "10.0.0.9"),
                      range("10.0.0.1", "10.0.0.2"), range("fd00::", "fd00::1"),
                      range("255.255.255.255", "255.255.255.255")}),
              (std::vector{range("10.0.0.0", "10.0.0.5"), range("10.0.0.7", "10.0.0.9"),
                           range("255.255.255.255", "255.255.255.255"), range("fd00::", "fd00::1")}));
}

TEST(RangesTest, CoversThemByTheFewestPrefixes) {
    EXPECT_EQ(texts(cover({range("10.0.0.1", "10.0.0.6")})),
              (Lines{"10.0.0.1", "10.0.0.2/31", "10.0.0.4/31", "10.0.0.6"}));
    EXPECT_EQ(texts(cover({range("10.0.0.0", "10.0.255.255")})), (Lines{"10.0.0.0/16"}));
    EXPECT_EQ(texts(cover({range("0.0.0.0", "255.255.255.255")})), (Lines{"0.0.0.0/0"}));
    EXPECT_EQ(texts(cover({range("fd00::2", "fd00::5")})), (Lines{"fd00::2/127", "fd00::4/127"}));
}

TEST(RangesTest, LeavesOut) {
    const std::vector<Range> all{range("10.0.0.0", "10.0.0.9"), range("10.0.1.0", "10.0.1.0")};
    EXPECT_EQ(without(all, std::set{address("10.0.0.0"), address("10.0.0.1"), address("10.0.0.5"),
                                    address("10.0.0.9"), address("10.0.1.0")}),
              (std::vector{range("10.0.0.2", "10.0.0.4"), range("10.0.0.6", "10.0.0.8")}));
    EXPECT_EQ(without(all, std::vector{prefix("10.0.0.4/30"), prefix("10.0.1.0/24")}),
              (std::vector{range("10.0.0.0", "10.0.0.3"), range("10.0.0.8", "10.0.0.9")}));
    // Unordered, one over two ranges, at the last address that there is, and of another family.
    EXPECT_EQ(without({range("10.0.0.0", "10.0.0.9"), range("10.0.0.12", "10.0.0.20"),
                       range("255.255.255.252", "255.255.255.255"), range("fd00::", "fd00::f")},
                      std::vector{prefix("fd00::8/125"), prefix("255.255.255.255/32"), prefix("10.0.0.8/29"),
                                  prefix("10.0.0.1/32"), prefix("10.0.0.3/32")}),
              (std::vector{range("10.0.0.0", "10.0.0.0"), range("10.0.0.2", "10.0.0.2"), range("10.0.0.4", "10.0.0.7"),
                           range("10.0.0.16", "10.0.0.20"), range("255.255.255.252", "255.255.255.254"),
                           range("fd00::", "fd00::7")}));
    EXPECT_EQ(within(all, prefix("10.0.0.8/29")), (std::vector{range("10.0.0.8", "10.0.0.9")}));
    EXPECT_EQ(count(all, 100), 11U);
    EXPECT_EQ(count(all, 5), 6U);
}

TEST(AnswersTest, AreWhereTheAddressIsLookedFor) {
    const Answers wanted = answers(pairs({{"10.0.0.2", "192.0.2.102"},
                                          {"10.0.0.3", "198.51.100.3"},
                                          {"10.0.0.4", "203.0.113.4"},
                                          {"fd00:1::2", "2001:db8:2::102"}}),
                                   surroundings());
    EXPECT_EQ(texts(wanted.routes), (Lines{"192.0.2.102", "198.51.100.3", "203.0.113.4", "2001:db8:2::102"}));
    EXPECT_EQ(wanted.proxies, (std::set<Proxy>{{address("192.0.2.102"), wan}, {address("2001:db8:2::102"), wan}}));
    EXPECT_EQ(wanted.settings, (Settings{{"net/ipv4/neigh/wan0/proxy_delay", "0"},
                                         {"net/ipv6/conf/all/proxy_ndp", "1"},
                                         {"net/ipv6/conf/wan0/proxy_ndp", "1"},
                                         {"net/ipv6/neigh/wan0/proxy_delay", "0"}}));
    EXPECT_EQ(warnings(wanted), Lines{});
}

TEST(AnswersTest, LeaveOwnAddressesAndRoutersAlone) {
    const Answers wanted = answers(pairs({{"10.0.0.0/30", "192.0.2.0/30"}, {"10.0.0.9", "192.0.2.254"}}),
                                   surroundings());
    EXPECT_EQ(texts(wanted.routes), (Lines{"192.0.2.0", "192.0.2.2/31"}));
    EXPECT_EQ(wanted.proxies.size(), 3U);
    EXPECT_EQ(warnings(wanted),
              Lines{"192.0.2.254 is an external address, and a router's: it is left to the router"});
}

TEST(AnswersTest, AreForFurtherExternals) {
    Pairs some = pairs({{"10.0.0.2", "198.51.100.2"}});
    some.push_back({prefix("10.0.0.2"), prefix("192.0.2.102"), false, "", true});
    some.sort();
    const Answers wanted = answers(some, surroundings());
    EXPECT_EQ(texts(wanted.routes), (Lines{"192.0.2.102", "198.51.100.2"}));
    EXPECT_EQ(wanted.proxies, (std::set<Proxy>{{address("192.0.2.102"), wan}}));
}

TEST(AnswersTest, LeaveAloneWhatIsExcluded) {
    Pairs some = pairs({{"10.0.0.128/29", "192.0.2.128/29"}, {"10.0.9.9", "192.0.2.130"}});
    some.exclude(prefix("10.0.0.129"));
    some.exclude(prefix("10.0.0.130"));
    some.exclude(prefix("10.0.0.132/30"));
    const Answers wanted = answers(some, surroundings());
    EXPECT_EQ(texts(wanted.routes), (Lines{"192.0.2.128", "192.0.2.130/31", "192.0.2.130"}));
    EXPECT_EQ(wanted.proxies, (std::set<Proxy>{{address("192.0.2.128"), wan}, {address("192.0.2.130"), wan},
                                               {address("192.0.2.131"), wan}}));
}

TEST(AnswersTest, NameIpv6PrefixesForNdppd) {
    const Answers wanted = answers(pairs({{"fd00:1::/80", "2001:db8:2:0:1::/80"}, {"fd00:2::/64", "2001:db8:3::/64"}}),
                                   surroundings());
    EXPECT_EQ(texts(wanted.routes), (Lines{"2001:db8:2:0:1::/80", "2001:db8:3::/64"}));
    EXPECT_TRUE(wanted.proxies.empty());
    EXPECT_EQ(warnings(wanted),
              Lines{"the kernel answers neighbour solicitations for single hosts only, 4,096 at most: on wan0, let "
                    "ndppd do that, with \"proxy wan0 { rule 2001:db8:2:0:1::/80 { static } }\" in "
                    "/etc/ndppd.conf"});
}

TEST(AnswersTest, NameManyIpv6HostsForNdppd) {
    std::vector<Pair> all;
    Address internal = address("fd00:1::");
    Address external = address("2001:db8:2::1:0");
    for (std::size_t i = 0; i <= most_one_by_one; ++i) {
        all.push_back({Prefix::host(internal), Prefix::host(external)});
        internal = *next(internal);
        external = *next(external);
    }
    const Answers wanted = answers(Pairs(all), surroundings());
    EXPECT_TRUE(wanted.proxies.empty() && wanted.settings.empty() && wanted.answered.empty());
    EXPECT_EQ(texts(wanted.for_ndppd.at("wan0")), (Lines{"2001:db8:2::1:0/116", "2001:db8:2::1:1000"}));
    all.pop_back();
    EXPECT_EQ(answers(Pairs(all), surroundings()).proxies.size(), most_one_by_one);
}

TEST(AnswersTest, OfManyAreByAllThatIsRouted) {
    Neighbourhood around = surroundings();
    around.networks = {{prefix("10.64.0.0/18"), wan}};
    around.own = {address("10.64.63.1"), address("10.0.0.1")};
    around.routes = {{prefix("10.64.0.0/18"), wan}, {prefix("10.64.62.0/24"), lan}, {prefix("0.0.0.0/0"), lan}};
    const Answers few = answers(pairs({{"10.1.0.0/20", "10.64.0.0/20"}}), around);
    EXPECT_EQ(few.proxies.size(), most_one_by_one);
    EXPECT_EQ(arp_table_text(few), "");
    const Answers many = answers(pairs({{"10.1.0.0/20", "10.64.0.0/20"}, {"10.2.0.1", "10.64.62.1"}}), around);
    EXPECT_EQ(texts(many.routes), (Lines{"10.64.0.0/20", "10.64.62.1"}));
    EXPECT_TRUE(many.proxies.empty());
    EXPECT_EQ(many.settings.at("net/ipv4/conf/wan0/proxy_arp"), "1");
    EXPECT_EQ(many.passing.at("wan0"), (std::vector{range("10.0.0.1", "10.0.0.1"), range("10.64.0.0", "10.64.61.255"),
                                                    range("10.64.62.1", "10.64.62.1"),
                                                    range("10.64.63.0", "10.64.63.255")}));
    EXPECT_NE(arp_table_text(many).find("iifname \"wan0\" arp operation request arp daddr ip != { 10.0.0.1, "
                                        "10.64.0.0-10.64.61.255, 10.64.62.1, 10.64.63.0-10.64.63.255 } drop\n"),
              std::string::npos);
}

// RFC 1071: with its checksum, the sum of all is that of nothing.
TEST(AnnouncementTest, HasAChecksumThatHolds) {
    const Bytes frame = announcement(address("2001:db8::1"), {2, 0, 0, 0, 0, 7});
    ASSERT_EQ(frame.size(), 14U + 40U + 32U);
    std::uint32_t sum = 32 + 58;
    for (std::size_t i = 14 + 8; i < frame.size(); i += 2) {
        sum += static_cast<std::uint32_t>(frame[i] << 8 | frame[i + 1]);
    }
    EXPECT_EQ((sum & 0xffff) + (sum >> 16), 0xffffU);
}

TEST(StepsTest, AreNoneWhereAllIsThere) {
    const Answers wanted = answers(pairs({{"10.0.0.2", "192.0.2.102"}}), surroundings());
    const Steps first = steps(wanted, surroundings(), {{"net/ipv4/neigh/wan0/proxy_delay", "80"}}, {});
    EXPECT_EQ(summary(first), "made statnat0, added 1 route, added 1 proxy neighbour, changed 1 setting");
    EXPECT_EQ(first.to_remember, (ChangedSettings{{"net/ipv4/neigh/wan0/proxy_delay", {"80", "0"}}}));
    const Steps second = steps(wanted, settled(surroundings(), wanted), {{"net/ipv4/neigh/wan0/proxy_delay", "0"}},
                               first.to_remember);
    EXPECT_TRUE(second.empty());
    EXPECT_EQ(second.to_remember, first.to_remember);
}

TEST(StepsTest, UndoOnlyWhatIsOurs) {
    const Answers wanted = answers(pairs({{"10.0.0.2", "192.0.2.102"}}), surroundings());
    Neighbourhood around = settled(surroundings(), wanted);
    around.proxies = {{address("192.0.2.103"), wan}};
    around.routes = {{prefix("192.0.2.103/32"), lan}};
    const ChangedSettings changed{{"a", {"80", "0"}}, {"b", {"80", "0"}}, {"gone", {"0", "1"}}};
    const Steps undo = steps({}, around, {{"a", "0"}, {"b", "7"}}, changed);
    EXPECT_EQ(undo.remove_proxies, (std::vector<Proxy>{{address("192.0.2.102"), wan}}));
    EXPECT_EQ(undo.remove_routes, (std::vector<Route>{{prefix("192.0.2.102/32"), ours}}));
    EXPECT_EQ(undo.set, (Settings{{"a", "80"}}));
    EXPECT_TRUE(undo.delete_device && undo.to_remember.empty());
}

TEST(StepsTest, LeaveADeviceOfSomebodyElseAlone) {
    Neighbourhood around = surroundings();
    around.links[ours] = {std::string(neighbours_device), "mine", true, false};
    EXPECT_TRUE(steps({}, around, {}, {}).empty());
    EXPECT_THROW(steps(answers(pairs({{"10.0.0.2", "192.0.2.102"}}), around), around, {}, {}), CannotGoOn);
}

}  // namespace
}  // namespace statnat
