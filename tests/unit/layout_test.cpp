// SPDX-License-Identifier: GPL-2.0-or-later
// Configurations and the tables that they ask for, printed the way nft(8) would.
#include "ruleset/layout.hpp"

#include "ruleset/inventory.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace statnat {
namespace {

Configuration make_configuration() {
    Configuration configuration;
    configuration.pairs = {
        {*Prefix::parse("10.0.0.2"), *Prefix::parse("198.51.100.9"), false, "mail"},
        {*Prefix::parse("10.0.0.3"), *Prefix::parse("198.51.100.3"), false, ""},
    };
    return configuration;
}

std::string print(const Element& element, bool values) {
    return element.key.text() + (element.comment.empty() ? "" : " # " + element.comment.text()) +
           (values ? " : " + element.value.text() : "");
}

std::string hook_name(const Chain& chain) {
    const std::vector<std::string> names = {"prerouting", "input", "forward", "output", "postrouting"};
    return chain.hook ? names[static_cast<std::size_t>(*chain.hook)] : "none";
}

std::vector<std::string> print(const Table& table) {
    std::vector<std::string> lines;
    for (const Map& map : table.maps) {
        lines.push_back((map.values ? "map " : "set ") + map.name + (map.counters ? " counter" : "") + " size " +
                        std::to_string(map.capacity) + (map.foreign ? " foreign" : ""));
        for (const Element& element : map.elements) {
            lines.push_back("  " + print(element, map.values));
        }
    }
    for (const PrefixSet& set : table.prefix_sets) {
        lines.push_back("set " + set.name + (set.foreign ? " foreign" : ""));
        for (const Prefix& prefix : set.prefixes) {
            lines.push_back("  " + prefix.text());
        }
    }
    for (const Chain& chain : table.chains) {
        lines.push_back("chain " + chain.name + " " + std::string(name(chain.type)) + " " + hook_name(chain) + " " +
                        std::to_string(chain.priority));
        for (const Rule& rule : chain.rules) {
            lines.push_back("  " + text(rule, table.family));
        }
    }
    return lines;
}

std::vector<std::string> print(const Configuration& configuration, Engine engine) {
    const Ruleset ruleset = layout(configuration, engine);
    EXPECT_EQ(ruleset.size(), 1U);
    return print(ruleset.front());
}

Configuration make_ipv6_configuration() {
    Configuration configuration;
    configuration.pairs = {
        {*Prefix::parse("fd00:1::2"), *Prefix::parse("2001:db8:1::9"), false, "mail"},
        {*Prefix::parse("fd00:1::3"), *Prefix::parse("2001:db8:1::3"), false, ""},
    };
    return configuration;
}

using Lines = std::vector<std::string>;

TEST(LayoutTest, OfNoPairsIsNoTable) {
    Configuration configuration;
    configuration.exempt_destinations = {*Prefix::parse("10.0.0.0/8"), *Prefix::parse("fd00::/8")};
    EXPECT_TRUE(layout(configuration, Engine::expression).empty());
    EXPECT_TRUE(layout(configuration, Engine::native).empty());
}

// It stands where all of a packet's way is known, and nowhere else.
TEST(LayoutTest, OfAFastPath) {
    Configuration configuration = make_configuration();
    configuration.fast_path = true;
    Lines lines;
    for (const std::string& line : print(configuration, Engine::expression)) {
        if (line.find(" forward") != std::string::npos) {
            lines.push_back(line);
        }
    }
    EXPECT_EQ(lines, (Lines{"  snat_stateless daddr map @ext2int within 198.51.100.0/28 notrack"
                            " else saddr map @int2ext within 10.0.0.2/31 untrack forward"}));
}

TEST(LayoutTest, OfTheExpressionEngine) {
    EXPECT_EQ(print(make_configuration(), Engine::expression), (Lines{
        "map int2ext counter size 3072",
        "  10.0.0.2 # mail : 198.51.100.9",
        "  10.0.0.3 : 198.51.100.3",
        "map ext2int counter size 3072",
        "  198.51.100.3 : 10.0.0.3",
        "  198.51.100.9 : 10.0.0.2",
        "chain prerouting filter prerouting -300",
        "  snat_stateless daddr map @ext2int within 198.51.100.0/28 notrack"
        " else saddr map @int2ext within 10.0.0.2/31 untrack",
        "chain postrouting filter postrouting -300",
        "  snat_stateless saddr map @int2ext within 10.0.0.2/31 untracked",
        "chain output route output -300",
        "  icmp type 5 snat_stateless saddr map @int2ext within 10.0.0.2/31 untrack",
        "  icmp type 3-5 snat_stateless daddr map @ext2int within 198.51.100.0/28 notrack",
        "  icmp type 11-12 snat_stateless daddr map @ext2int within 198.51.100.0/28 notrack",
        "  snat_stateless saddr map @int2ext within 10.0.0.2/31 untrack",
    }));
}

TEST(LayoutTest, OfTheExpressionEngineWithExemptDestinationsAndRuleCounters) {
    Configuration configuration = make_configuration();
    configuration.exempt_destinations = {*Prefix::parse("10.0.0.0/8")};
    configuration.counters = Counters::rule;
    EXPECT_EQ(print(configuration, Engine::expression), (Lines{
        "map int2ext size 3072",
        "  10.0.0.2 # mail : 198.51.100.9",
        "  10.0.0.3 : 198.51.100.3",
        "map ext2int size 3072",
        "  198.51.100.3 : 10.0.0.3",
        "  198.51.100.9 : 10.0.0.2",
        "chain prerouting filter prerouting -300",
        "  snat_stateless daddr map @ext2int within 198.51.100.0/28 notrack counter",
        "  snat_stateless saddr map @int2ext within 10.0.0.2/31 untrack unless daddr 10.0.0.0/8",
        "chain postrouting filter postrouting -300",
        "  snat_stateless saddr map @int2ext within 10.0.0.2/31 untracked counter",
        "chain output route output -300",
        "  icmp type 5 snat_stateless saddr map @int2ext within 10.0.0.2/31 untrack",
        "  icmp type 3-5 snat_stateless daddr map @ext2int within 198.51.100.0/28 notrack",
        "  icmp type 11-12 snat_stateless daddr map @ext2int within 198.51.100.0/28 notrack",
        "  snat_stateless saddr map @int2ext within 10.0.0.2/31 untrack unless daddr 10.0.0.0/8",
    }));
}

// As many prefixes as the expression compares; a set takes more, and all there are.
TEST(LayoutTest, OfTheExpressionEngineWithExemptDestinations) {
    Configuration configuration = make_configuration();
    for (int i = 0; i < 8; ++i) {
        configuration.exempt_destinations.push_back(*Prefix::parse("10." + std::to_string(2 * i) + ".0.0/16"));
    }
    const std::string eight = " unless daddr 10.0.0.0/16, 10.2.0.0/16, 10.4.0.0/16, 10.6.0.0/16, 10.8.0.0/16, "
                              "10.10.0.0/16, 10.12.0.0/16, 10.14.0.0/16";
    const std::string decide = "snat_stateless saddr map @int2ext within 10.0.0.2/31 untrack";
    Lines lines = print(configuration, Engine::expression);
    EXPECT_EQ(Lines(lines.begin() + 6, lines.begin() + 8), (Lines{
        "chain prerouting filter prerouting -300",
        "  snat_stateless daddr map @ext2int within 198.51.100.0/28 notrack"
        " else saddr map @int2ext within 10.0.0.2/31 untrack" + eight,
    }));
    EXPECT_EQ(lines.back(), "  " + decide + eight);

    configuration.exempt_destinations.push_back(*Prefix::parse("192.168.0.0/16"));
    for (const auto& [first, size] : {std::pair<const char*, std::size_t>{"10.0.0.0/16", 9}, {"0.0.0.0/0", 1}}) {
        lines = print(configuration, Engine::expression);
        EXPECT_EQ(Lines(lines.begin() + 6, lines.begin() + 8), (Lines{"set exempt", std::string("  ") + first}));
        EXPECT_EQ(Lines(lines.begin() + 7 + size, lines.begin() + 10 + size), (Lines{
            "chain prerouting filter prerouting -300",
            "  snat_stateless daddr map @ext2int within 198.51.100.0/28 notrack",
            "  ip daddr != @exempt " + decide,
        }));
        EXPECT_EQ(lines.back(), "  ip daddr != @exempt " + decide);
        configuration.exempt_destinations = {*Prefix::parse("0.0.0.0/0")};
    }
}

// Sources are translated behind all others' nat, in which the guard keeps them; and all rules that decide know all.
TEST(LayoutTest, OfTheExpressionEngineWhereConntrackFollows) {
    Configuration configuration = make_configuration();
    configuration.conntrack = Conntrack::follow;
    configuration.exempt_destinations = {*Prefix::parse("10.0.0.0/8")};
    configuration.external_interfaces = {"wan0"};
    const std::string inbound = "snat_stateless daddr map @ext2int within 198.51.100.0/28 follow";
    const std::string source = "snat_stateless saddr map @int2ext within 10.0.0.2/31 ";
    const std::string where = " unless daddr 10.0.0.0/8 via \"wan0\"";
    const Lines lines = print(configuration, Engine::expression);
    EXPECT_EQ(Lines(lines.begin() + 6, lines.end()), (Lines{
        "chain prerouting filter prerouting -300",
        "  " + inbound + " else saddr map @int2ext within 10.0.0.2/31 follow" + where,
        "chain postrouting filter postrouting 300",
        "  " + source + "followed" + where,
        "chain output route output -300",
        "  icmp type 5 " + source + "follow",
        "  icmp type 3-5 " + inbound,
        "  icmp type 11-12 " + inbound,
        "  " + source + "follow" + where,
        "chain guard nat postrouting 99",
        "  " + source + "follow followed" + where + " snat to ip saddr",
    }));
    const Inventory found = inventory(layout(configuration, Engine::expression));
    EXPECT_EQ(found.conntrack, Conntrack::follow);
    EXPECT_EQ(found.external_interfaces, configuration.external_interfaces);
    EXPECT_EQ(found.exempt_destinations, configuration.exempt_destinations);
    EXPECT_EQ(inventory(layout(make_configuration(), Engine::expression)).conntrack, Conntrack::bypass);
}

// What leaves or enters there, and hairpin, for which prerouting needs both lists of maps.
TEST(LayoutTest, OfTheExpressionEngineWithExternalInterfaces) {
    Configuration configuration = make_configuration();
    configuration.external_interfaces = {"wan0", "ppp*"};
    configuration.exempt_destinations = {*Prefix::parse("10.0.0.0/8")};
    const std::string inbound = "  snat_stateless daddr map @ext2int within 198.51.100.0/28 notrack";
    const std::string via = " via \"wan0\", \"ppp*\"";
    const std::string decided = " else saddr map @int2ext within 10.0.0.2/31 untrack unless daddr 10.0.0.0/8" + via;
    const std::string outbound =
        "  snat_stateless saddr map @int2ext within 10.0.0.2/31 untracked unless daddr 10.0.0.0/8" + via;
    Lines lines = print(configuration, Engine::expression);
    EXPECT_EQ(Lines(lines.begin() + 6, lines.end()), (Lines{
        "chain prerouting filter prerouting -300",
        inbound + decided,
        "chain postrouting filter postrouting -300",
        outbound,
        "chain output route output -300",
        "  icmp type 5 snat_stateless saddr map @int2ext within 10.0.0.2/31 untrack",
        "  icmp type 3-5 snat_stateless daddr map @ext2int within 198.51.100.0/28 notrack",
        "  icmp type 11-12 snat_stateless daddr map @ext2int within 198.51.100.0/28 notrack",
        "  snat_stateless saddr map @int2ext within 10.0.0.2/31 untrack unless daddr 10.0.0.0/8" + via,
    }));

    configuration.counters = Counters::rule;
    lines = print(configuration, Engine::expression);
    EXPECT_EQ(Lines(lines.begin() + 6, lines.begin() + 11), (Lines{
        "chain prerouting filter prerouting -300",
        inbound + via + " counter",
        inbound + decided,
        "chain postrouting filter postrouting -300",
        outbound + " counter",
    }));
}

TEST(LayoutTest, OfTheNativeEngineWithExternalInterfaces) {
    Configuration configuration = make_configuration();
    configuration.external_interfaces = {"wan0", "ppp*"};
    const std::string routable = "ip saddr != 169.254.0.0/16 ip daddr set ip daddr map @ext2int notrack";
    const std::string abroad = " fib daddr type unicast ip daddr != 169.254.0.0/16";
    const std::string outbound = abroad + " ip saddr set ip saddr map @int2ext";
    const Lines lines = print(configuration, Engine::native);
    EXPECT_EQ(Lines(lines.end() - 17, lines.end()), (Lines{
        "chain prerouting filter prerouting -300",
        "  iifname \"wan0\" " + routable,
        "  iifname \"ppp*\" " + routable,
        "  ip saddr @internal " + routable,
        "  icmp type 5 ip frag-off & 0x1fff == 0 ip daddr @internal drop",
        "  ip saddr @internal" + abroad + " fib daddr . mark oifname \"wan0\" notrack",
        "  ip saddr @internal" + abroad + " fib daddr . mark oifname \"ppp*\" notrack",
        "chain postrouting filter postrouting -300",
        "  iif != 0 oifname \"wan0\" ip saddr @internal" + outbound,
        "  iif 0 oifname \"wan0\" ip saddr @internal fib saddr type local" + outbound,
        "  iif != 0 oifname \"ppp*\" ip saddr @internal" + outbound,
        "  iif 0 oifname \"ppp*\" ip saddr @internal fib saddr type local" + outbound,
        "  ip saddr @internal ct state untracked ip daddr @internal" + outbound,
        "chain output route output -300",
        "  icmp type 5 ip frag-off & 0x1fff == 0 drop",
        "  oifname \"wan0\" ip saddr @internal notrack",
        "  oifname \"ppp*\" ip saddr @internal notrack",
    }));
}

TEST(LayoutTest, InAVrf) {
    Configuration configuration = make_configuration();
    configuration.vrf = Vrf{.name = "red", .mark = 0x00010000, .ports = {"la", "lb"}};
    const std::string inbound = "snat_stateless daddr map @ext2int within 198.51.100.0/28 notrack";
    const std::string mark = " meta mark set meta mark | 0x00010000";
    const std::string of_mark = "meta mark & 0x00010000 == 0x00010000 ";
    const std::string decide = "snat_stateless saddr map @int2ext within 10.0.0.2/31 untrack";
    Lines lines = print(configuration, Engine::expression);
    EXPECT_EQ(Lines(lines.begin() + 6, lines.end()), (Lines{
        "chain prerouting filter prerouting -300",
        "  " + inbound + mark,
        "  iifname \"red\" " + decide + " tracked",
        "  iifname \"la\" " + decide,
        "  iifname \"lb\" " + decide,
        "chain postrouting filter postrouting -300",
        "  iifname \"red\" " + decide + "ed",
        "  iif 0 " + of_mark + decide + "ed",
        "chain output route output -300",
        "  icmp type 5 " + decide,
        "  icmp type 3-5 " + inbound + mark,
        "  icmp type 11-12 " + inbound + mark,
        "  " + of_mark + decide,
    }));
    const std::string abroad = " fib daddr type unicast ip daddr != 169.254.0.0/16";
    lines = print(configuration, Engine::native);
    EXPECT_EQ(Lines(lines.end() - 10, lines.end()), (Lines{
        "chain prerouting filter prerouting -300",
        "  ip saddr != 169.254.0.0/16 ip daddr set ip daddr map @ext2int notrack" + mark,
        "  icmp type 5 ip frag-off & 0x1fff == 0 ip daddr @internal drop",
        "  iifname \"red\" ip saddr @internal" + abroad + " notrack",
        "  iifname \"la\" ip saddr @internal" + abroad + " notrack",
        "  iifname \"lb\" ip saddr @internal" + abroad + " notrack",
        "chain postrouting filter postrouting -300",
        "  iif != 0 iifname \"red\" ip saddr @internal" + abroad + " ip saddr set ip saddr map @int2ext",
        "chain output route output -300",
        "  icmp type 5 ip frag-off & 0x1fff == 0 drop",
    }));
    for (const Engine engine : {Engine::expression, Engine::native}) {
        for (const Table& table : layout(configuration, engine)) {
            EXPECT_EQ(vrf_of(table), configuration.vrf);
            EXPECT_EQ(mark_of(table), 0U);
            EXPECT_TRUE(external_interfaces(table).empty());
        }
    }
}

// Host bits in the maps are 0; where a longer pair overrides a shorter one, the identity is a hole.
TEST(LayoutTest, OfPrefixesAsksTheLongestFirst) {
    Configuration configuration;
    configuration.counters = Counters::off;
    for (const auto& [internal, external] :
         {std::pair{"10.1.0.0/16", "203.1.0.0/16"}, {"10.1.2.0/24", "198.51.100.0/24"}, {"10.1.2.5", "192.0.2.5"},
          {"10.1.2.6", "198.51.100.6"}}) {
        configuration.pairs.push_back({*Prefix::parse(internal), *Prefix::parse(external)});
    }
    configuration.pairs.sort();
    // The holes are keys, too.
    const std::string by_internal =
        "@int2ext within 10.1.2.4/30, @int2ext_24 prefix 24 within 10.1.2.0/24, "
        "@int2ext_16 prefix 16 within 10.1.0.0/16";
    const std::string by_external =
        "@ext2int within 192.0.0.0/5, @ext2int_24 prefix 24 within 192.0.0.0/4, "
        "@ext2int_16 prefix 16 within 203.1.0.0/16";
    EXPECT_EQ(print(configuration, Engine::expression), (Lines{
        "map int2ext size 3072",
        "  10.1.2.5 : 192.0.2.5",
        "  10.1.2.6 : 198.51.100.6",
        "map ext2int size 3072",
        "  192.0.2.5 : 10.1.2.5",
        "  198.51.100.5 : 198.51.100.5",
        "  198.51.100.6 : 10.1.2.6",
        "map int2ext_24 size 48",
        "  10.1.2.0 : 198.51.100.0",
        "map ext2int_24 size 48",
        "  198.51.100.0 : 10.1.2.0",
        "  203.1.2.0 : 203.1.2.0",
        "map int2ext_16 size 48",
        "  10.1.0.0 : 203.1.0.0",
        "map ext2int_16 size 48",
        "  203.1.0.0 : 10.1.0.0",
        "chain prerouting filter prerouting -300",
        "  snat_stateless daddr map " + by_external + " notrack else saddr map " + by_internal + " untrack",
        "chain postrouting filter postrouting -300",
        "  snat_stateless saddr map " + by_internal + " untracked",
        "chain output route output -300",
        "  icmp type 5 snat_stateless saddr map " + by_internal + " untrack",
        "  icmp type 3-5 snat_stateless daddr map " + by_external + " notrack",
        "  icmp type 11-12 snat_stateless daddr map " + by_external + " notrack",
        "  snat_stateless saddr map " + by_internal + " untrack",
    }));
}

TEST(LayoutTest, OfPrefixesWithNptAndWithout) {
    Configuration configuration;
    configuration.counters = Counters::off;
    configuration.pairs = {
        {*Prefix::parse("fd00:1::/48"), *Prefix::parse("2001:db8:1::/48"), false, "plain"},
        {*Prefix::parse("fd01:203:405::/48"), *Prefix::parse("2001:db8:2::/48"), true, "neutral"},
        {*Prefix::parse("fd01:203:405:1::/64"), *Prefix::parse("2001:db8:3::/64"), true, ""},
    };
    const Lines lines = print(configuration, Engine::expression);
    EXPECT_EQ(Lines(lines.begin(), lines.begin() + 15), (Lines{
        "map int2ext_64_npt size 48",
        "  fd01:203:405:1:: : 2001:db8:3::",
        "map ext2int_64_npt size 48",
        "  2001:db8:2:d54f:: : 2001:db8:2:d54f::",  // what the /48 made of subnet 1
        "  2001:db8:3:: : fd01:203:405:1::",
        "map int2ext_48 size 48",
        "  fd00:1:: # plain : 2001:db8:1::",
        "map ext2int_48 size 48",
        "  2001:db8:1:: : fd00:1::",
        "map int2ext_48_npt size 48",
        "  fd01:203:405:: # neutral : 2001:db8:2::",
        "map ext2int_48_npt size 48",
        "  2001:db8:2:: : fd01:203:405::",
        "chain prerouting filter prerouting -300",
        "  snat_stateless daddr map @ext2int_64_npt prefix 64 npt within 2001:db8:2::/47,"
        " @ext2int_48 prefix 48 within 2001:db8:1::/48, @ext2int_48_npt prefix 48 npt within 2001:db8:2::/48 notrack"
        " else saddr map @int2ext_64_npt prefix 64 npt within fd01:203:405:1::/64,"
        " @int2ext_48 prefix 48 within fd00:1::/48, @int2ext_48_npt prefix 48 npt within fd01:203:405::/48 untrack",
    }));
}

TEST(LayoutTest, AsksAMapForWhatItsKeysHaveInCommon) {
    struct Case {
        std::vector<std::string> internal;
        std::string reference;
    };
    const std::vector<Case> cases = {
        {{"10.0.0.7"}, "@int2ext within 10.0.0.7"},
        {{"10.0.0.7", "10.0.0.8"}, "@int2ext within 10.0.0.0/28"},
        {{"10.0.0.0", "10.0.0.1", "10.0.0.255"}, "@int2ext within 10.0.0.0/24"},
        {{"10.0.0.1", "100.64.0.1"}, "@int2ext within 0.0.0.0/1"},
        {{"10.0.0.1", "172.16.0.1"}, "@int2ext"},
        {{"10.0.1.0/24"}, "@int2ext_24 prefix 24 within 10.0.1.0/24"},
        {{"10.0.1.0/24", "10.0.2.0/24"}, "@int2ext_24 prefix 24 within 10.0.0.0/22"},
        {{"fd00::1", "fd00::1:0:0:0"}, "@int2ext within fd00::/79"},
        {{"2000::/16", "fd00::/16"}, "@int2ext_16 prefix 16"},
    };
    for (const Case& c : cases) {
        Configuration configuration;
        for (const std::string& internal : c.internal) {
            const Prefix prefix = *Prefix::parse(internal);
            configuration.pairs.push_back({prefix, prefix});
        }
        configuration.pairs.sort();
        const Ruleset ruleset = layout(configuration, Engine::expression);
        EXPECT_EQ(text(ruleset.front().chains.back().rules.back(), ruleset.front().family),
                  "snat_stateless saddr map " + c.reference + " untrack");
    }
}

TEST(MapRoleTest, IsWhatTheNameSays) {
    struct Case {
        std::string name;
        Family family;
        std::optional<MapRole> role;
    };
    const std::vector<Case> cases = {
        {"int2ext", Family::ipv4, MapRole{Side::internal, 32, false}},
        {"ext2int", Family::ipv6, MapRole{Side::external, 128, false}},
        {"int2ext_24", Family::ipv4, MapRole{Side::internal, 24, false}},
        {"ext2int_48_npt", Family::ipv6, MapRole{Side::external, 48, true}},
        {"int2ext_32", Family::ipv4, {}},
        {"int2ext_8", Family::ipv4, MapRole{Side::internal, 8, false}},
        {"int2ext_7", Family::ipv4, {}},
        {"int2ext_0", Family::ipv4, {}},
        {"int2ext_33", Family::ipv4, {}},
        {"int2ext_200", Family::ipv4, {}},
        {"int2ext_300", Family::ipv4, {}},
        {"int2ext_24_npt", Family::ipv4, {}},
        {"int2ext_npt", Family::ipv4, {}},
        {"int2ext_npt", Family::ipv6, {}},
        {"int2ext_15", Family::ipv6, {}},
        {"int2ext_129", Family::ipv6, {}},
        {"ext2int_64_npt", Family::ipv6, MapRole{Side::external, 64, true}},
        {"ext2int_65_npt", Family::ipv6, {}},
        {"ext2int_65", Family::ipv6, MapRole{Side::external, 65, false}},
        {"ext2int_inbound", Family::ipv4, MapRole{Side::external, 32, false, true}},
        {"ext2int_inbound", Family::ipv6, MapRole{Side::external, 128, false, true}},
        {"int2ext_inbound", Family::ipv4, {}},
        {"ext2int_24_inbound", Family::ipv4, {}},
        {"ext2int_48_npt_inbound", Family::ipv6, {}},
        {"int2ext_024", Family::ipv4, {}},
        {"int2ext_24x", Family::ipv4, {}},
        {"int2ext_", Family::ipv4, {}},
        {"internal", Family::ipv4, {}},
        {"other", Family::ipv4, {}},
    };
    for (const Case& c : cases) {
        Map map;
        map.name = c.name;
        EXPECT_EQ(MapRole::of(map, c.family), c.role) << c.name;
        map.values = false;
        EXPECT_FALSE(MapRole::of(map, c.family));
    }
}

TEST(LayoutTest, OfTheNativeEngineKeepsConntrackOff) {
    Configuration configuration = make_configuration();
    configuration.counters = Counters::off;
    EXPECT_EQ(print(configuration, Engine::native), (Lines{
        "map int2ext size 3072",
        "  10.0.0.2 # mail : 198.51.100.9",
        "  10.0.0.3 : 198.51.100.3",
        "map ext2int size 3072",
        "  198.51.100.3 : 10.0.0.3",
        "  198.51.100.9 : 10.0.0.2",
        "set internal size 3072",
        "  10.0.0.2",
        "  10.0.0.3",
        "chain prerouting filter prerouting -300",
        "  ip saddr != 169.254.0.0/16 ip daddr set ip daddr map @ext2int notrack",
        "  icmp type 5 ip frag-off & 0x1fff == 0 ip daddr @internal drop",
        "  ip saddr @internal fib daddr type unicast ip daddr != 169.254.0.0/16 notrack",
        "chain postrouting filter postrouting -300",
        "  iif != 0 ip saddr @internal"
        " fib daddr type unicast ip daddr != 169.254.0.0/16 ip saddr set ip saddr map @int2ext",
        "  iif 0 ip saddr @internal fib saddr type local"
        " fib daddr type unicast ip daddr != 169.254.0.0/16 ip saddr set ip saddr map @int2ext",
        "chain output route output -300",
        "  icmp type 5 ip frag-off & 0x1fff == 0 drop",
        "  ip saddr @internal notrack",
    }));
}

TEST(LayoutTest, OfTheNativeEngineWithExemptDestinationsAndRuleCounters) {
    Configuration configuration = make_configuration();
    configuration.exempt_destinations = {*Prefix::parse("10.0.0.0/8")};
    configuration.counters = Counters::rule;
    const Lines lines = print(configuration, Engine::native);
    EXPECT_EQ(Lines(lines.begin() + 9, lines.end()), (Lines{
        "set exempt",
        "  10.0.0.0/8",
        "chain prerouting filter prerouting -300",
        "  ip saddr != 169.254.0.0/16 ip daddr set ip daddr map @ext2int notrack counter",
        "  icmp type 5 ip frag-off & 0x1fff == 0 ip daddr @internal drop",
        "  ip saddr @internal ip daddr != @exempt fib daddr type unicast ip daddr != 169.254.0.0/16 notrack",
        "chain postrouting filter postrouting -300",
        "  iif != 0 ip saddr @internal ct state untracked ip daddr != @exempt"
        " fib daddr type unicast ip daddr != 169.254.0.0/16 ip saddr set ip saddr map @int2ext counter",
        "  iif 0 ip saddr @internal fib saddr type local ct state untracked ip daddr != @exempt"
        " fib daddr type unicast ip daddr != 169.254.0.0/16 ip saddr set ip saddr map @int2ext counter",
        "  ip saddr @internal ct state untracked ip daddr @exempt ip daddr @internal"
        " fib daddr type unicast ip daddr != 169.254.0.0/16 ip saddr set ip saddr map @int2ext counter",
        "chain output route output -300",
        "  icmp type 5 ip frag-off & 0x1fff == 0 drop",
        "  ip saddr @internal ip daddr != @exempt notrack",
    }));
}

TEST(LayoutTest, OfTheExpressionEngineForIPv6) {
    EXPECT_EQ(print(make_ipv6_configuration(), Engine::expression), (Lines{
        "map int2ext counter size 3072",
        "  fd00:1::2 # mail : 2001:db8:1::9",
        "  fd00:1::3 : 2001:db8:1::3",
        "map ext2int counter size 3072",
        "  2001:db8:1::3 : fd00:1::3",
        "  2001:db8:1::9 : fd00:1::2",
        "chain prerouting filter prerouting -300",
        "  snat_stateless daddr map @ext2int within 2001:db8:1::/124 notrack"
        " else saddr map @int2ext within fd00:1::2/127 untrack",
        "chain postrouting filter postrouting -300",
        "  snat_stateless saddr map @int2ext within fd00:1::2/127 untracked",
        "chain output route output -300",
        "  icmpv6 type 137 snat_stateless saddr map @int2ext within fd00:1::2/127 untrack",
        "  icmpv6 type 1-4 snat_stateless daddr map @ext2int within 2001:db8:1::/124 notrack",
        "  snat_stateless saddr map @int2ext within fd00:1::2/127 untrack",
    }));
}

TEST(LayoutTest, OfTheExpressionEngineForIPv6WithExemptDestinationsAndRuleCounters) {
    Configuration configuration = make_ipv6_configuration();
    configuration.exempt_destinations = {*Prefix::parse("10.0.0.0/8"), *Prefix::parse("fd00::/8")};
    configuration.counters = Counters::rule;
    const Lines lines = print(configuration, Engine::expression);
    EXPECT_EQ(Lines(lines.begin() + 6, lines.end()), (Lines{
        "chain prerouting filter prerouting -300",
        "  snat_stateless daddr map @ext2int within 2001:db8:1::/124 notrack counter",
        "  snat_stateless saddr map @int2ext within fd00:1::2/127 untrack unless daddr fd00::/8",
        "chain postrouting filter postrouting -300",
        "  snat_stateless saddr map @int2ext within fd00:1::2/127 untracked counter",
        "chain output route output -300",
        "  icmpv6 type 137 snat_stateless saddr map @int2ext within fd00:1::2/127 untrack",
        "  icmpv6 type 1-4 snat_stateless daddr map @ext2int within 2001:db8:1::/124 notrack",
        "  snat_stateless saddr map @int2ext within fd00:1::2/127 untrack unless daddr fd00::/8",
    }));
}

TEST(LayoutTest, OfTheNativeEngineForIPv6) {
    Configuration configuration = make_ipv6_configuration();
    configuration.exempt_destinations = {*Prefix::parse("fd00::/8")};
    const Lines lines = print(configuration, Engine::native);
    EXPECT_EQ(Lines(lines.begin() + 6, lines.end()), (Lines{
        "set internal size 3072",
        "  fd00:1::2",
        "  fd00:1::3",
        "set exempt",
        "  fd00::/8",
        "chain prerouting filter prerouting -300",
        "  ip6 saddr != fe80::/10 ip6 daddr set ip6 daddr map @ext2int notrack",
        "  icmpv6 type 137 ip6 daddr @internal drop",
        "  ip6 saddr @internal ip6 daddr != @exempt fib daddr type unicast ip6 daddr != fe80::/10 notrack",
        "chain postrouting filter postrouting -300",
        "  iif != 0 ip6 saddr @internal ct state untracked ip6 daddr != @exempt"
        " fib daddr type unicast ip6 daddr != fe80::/10 ip6 saddr set ip6 saddr map @int2ext",
        "  iif 0 ip6 saddr @internal fib saddr type local ct state untracked ip6 daddr != @exempt"
        " fib daddr type unicast ip6 daddr != fe80::/10 ip6 saddr set ip6 saddr map @int2ext",
        "  ip6 saddr @internal ct state untracked ip6 daddr @exempt ip6 daddr @internal"
        " fib daddr type unicast ip6 daddr != fe80::/10 ip6 saddr set ip6 saddr map @int2ext",
        "chain output route output -300",
        "  icmpv6 type 137 drop",
        "  ip6 saddr @internal ip6 daddr != @exempt notrack",
    }));
}

TEST(LayoutTest, GivesEachFamilyItsOwn) {
    Configuration configuration = make_configuration();
    for (const Pair& pair : make_ipv6_configuration().pairs) {
        configuration.pairs.push_back(pair);
    }
    configuration.pairs.sort();
    configuration.exempt_destinations = {*Prefix::parse("fd00::/8")};
    for (const Engine engine : {Engine::expression, Engine::native}) {
        const Ruleset both = layout(configuration, engine);
        ASSERT_EQ(both.size(), 2U);
        EXPECT_EQ(both[0].family, Family::ipv4);
        EXPECT_EQ(both[1].family, Family::ipv6);
        EXPECT_EQ(print(both[0]), print(make_configuration(), engine));
        Configuration alone = make_ipv6_configuration();
        alone.exempt_destinations = configuration.exempt_destinations;
        EXPECT_EQ(print(both[1]), print(alone, engine));
    }
}

TEST(LayoutTest, TheNativeSetOfInternalAddressesNeverCounts) {
    const Ruleset ruleset = layout(make_configuration(), Engine::native);
    const std::vector<Map>& maps = ruleset.front().maps;
    ASSERT_EQ(maps.size(), 3U);
    EXPECT_TRUE(maps[0].counters);
    EXPECT_TRUE(maps[1].counters);
    EXPECT_FALSE(maps[2].counters);
    EXPECT_EQ(maps[2].elements[0].key, maps[2].elements[0].value);
    EXPECT_EQ(maps[2].elements[0].comment, "");
}

TEST(LayoutTest, EachChainSaysWhoMadeItAndWhereItsRulesAreShown) {
    const Ruleset expression = layout(make_configuration(), Engine::expression);
    const Ruleset native = layout(make_configuration(), Engine::native);
    for (const Chain& chain : expression.front().chains) {
        EXPECT_LE(chain.comment.size(), 127U);
        EXPECT_NE(chain.comment.find("stock nft does not show"), std::string::npos) << chain.comment;
        EXPECT_NE(chain.comment.find("statnat-nft nft list ruleset"), std::string::npos) << chain.comment;
        EXPECT_EQ(chain.comment.find('"'), std::string::npos) << chain.comment;
    }
    for (const Chain& chain : native.front().chains) {
        EXPECT_EQ(chain.comment, "made by statnat-nft, do not edit");
    }
}

TEST(LayoutTest, LeavesRoomToGrow) {
    struct Case {
        std::uint32_t pairs;
        std::uint32_t capacity;
    };
    const std::vector<Case> cases = {
        {1, 3072}, {3072, 3072}, {3073, 6144}, {6144, 6144}, {6145, 12288}, {100'000, 196'608},
    };
    for (const Case& c : cases) {
        Configuration configuration;
        for (const Family family : families) {
            for (std::uint32_t i = 0; i < c.pairs; ++i) {
                const auto low = static_cast<std::uint8_t>(i);
                const auto middle = static_cast<std::uint8_t>(i >> 8);
                const auto high = static_cast<std::uint8_t>(i >> 16);
                const Address internal{family, {10, high, middle, low}};
                const Address external{family, {20, high, middle, low}};
                configuration.pairs.push_back({Prefix::host(internal), Prefix::host(external)});
            }
        }
        configuration.pairs.sort();
        const Ruleset ruleset = layout(configuration, Engine::native);
        ASSERT_EQ(ruleset.size(), 2U);
        for (const Table& table : ruleset) {
            for (const Map& map : table.maps) {
                EXPECT_EQ(map.capacity, c.capacity) << map.name << " of " << c.pairs;
                EXPECT_EQ(map.elements.size(), c.pairs);
            }
        }
    }
}

TEST(LayoutTest, ByTheNativeEngineLeavesNoHolesOfPrefixes) {
    Configuration hosts;
    hosts.pairs = {{*Prefix::parse("10.1.0.5"), *Prefix::parse("198.51.100.5")}};
    Configuration both;
    both.pairs = {{*Prefix::parse("10.1.0.0/24"), *Prefix::parse("203.0.113.0/24")},
                  {*Prefix::parse("10.1.0.5"), *Prefix::parse("198.51.100.5")}};
    EXPECT_EQ(print(both, Engine::native), print(hosts, Engine::native));
}

TEST(LayoutTest, MergesExemptDestinations) {
    Configuration configuration = make_configuration();
    for (const char* text : {"192.168.0.0/16", "10.0.0.0/8", "10.0.0.0/9", "10.0.0.0/8", "10.255.255.255", "11.0.0.0/8",
                             "192.168.1.0/24"}) {
        configuration.exempt_destinations.push_back(*Prefix::parse(text));
    }
    for (const Engine engine : {Engine::expression, Engine::native}) {
        const Ruleset ruleset = layout(configuration, engine);
        EXPECT_EQ(ruleset.front().prefix_sets.size(), engine == Engine::native ? 1U : 0U);
        Lines prefixes;
        for (const Prefix& prefix : exempt_destinations(ruleset.front())) {
            prefixes.push_back(prefix.text());
        }
        EXPECT_EQ(prefixes, (Lines{"10.0.0.0/8", "11.0.0.0/8", "192.168.0.0/16"}));
    }
}

TEST(RulesetTest, WritesStatementsAsNftDoes) {
    struct Case {
        Statement statement;
        std::string words;
    };
    const std::vector<Case> cases = {
        {SnatStateless{.field = Field::source, .maps = {{"m"}}}, "snat_stateless saddr map @m"},
        {SnatStateless{.field = Field::destination, .maps = {{"m"}}, .notrack = true},
         "snat_stateless daddr map @m notrack"},
        {SnatStateless{.field = Field::source, .maps = {{"m"}}, .untrack = true, .untracked = true},
         "snat_stateless saddr map @m untrack untracked"},
        {SnatStateless{.field = Field::source, .maps = {{"m"}, {"m_56", 56}, {"m_48", 48, true}}, .untracked = true},
         "snat_stateless saddr map @m, @m_56 prefix 56, @m_48 prefix 48 npt untracked"},
        {SnatStateless{.field = Field::source,
                       .maps = {{"m", {}, false, Prefix::parse("10.0.0.7")},
                                {"m_48", 48, true, Prefix::parse("fc00::/7")}},
                       .notrack = true},
         "snat_stateless saddr map @m within 10.0.0.7, @m_48 prefix 48 npt within fc00::/7 notrack"},
        {SnatStateless{.field = Field::source, .maps = {{"m"}}, .notrack = true, .tracked = true},
         "snat_stateless saddr map @m notrack tracked"},
        {SnatStateless{.field = Field::destination, .maps = {{"m"}}, .follow = true, .else_maps = {{"n"}}},
         "snat_stateless daddr map @m follow else saddr map @n follow"},
        {SnatStateless{.field = Field::source, .maps = {{"m"}}, .follow = true, .followed = true},
         "snat_stateless saddr map @m follow followed"},
        {KeepSource{}, "snat to ip saddr"},
        {SetAddress{Field::source, "m"}, "ip saddr set ip saddr map @m"},
        {SetAddress{Field::destination, "m"}, "ip daddr set ip daddr map @m"},
        {MatchAddress{Field::source, "s", false}, "ip saddr @s"},
        {MatchAddress{Field::destination, "s", true}, "ip daddr != @s"},
        {AskStanding{"m"}, "meta protocol vmap @m"},
        {MatchIcmpType{3, 5}, "icmp type 3-5"},
        {MatchIcmpType{8, 8}, "icmp type 8"},
        {MatchBeginning{}, "ip frag-off & 0x1fff == 0"},
        {MatchUntracked{}, "ct state untracked"},
        {Notrack{}, "notrack"},
        {SetMark{0x08000000}, "meta mark set meta mark | 0x08000000"},
        {ClearMark{0x08000000}, "meta mark set meta mark & 0xf7ffffff"},
        {Counter{}, "counter"},
        {Foreign{"[ meta ]"}, "[ meta ]"},
    };
    for (const Case& c : cases) {
        EXPECT_EQ(text(c.statement, Family::ipv4), c.words);
    }
    const std::vector<Case> ipv6_cases = {
        {SnatStateless{.field = Field::source, .maps = {{"m"}}}, "snat_stateless saddr map @m"},
        {SetAddress{Field::source, "m"}, "ip6 saddr set ip6 saddr map @m"},
        {MatchAddress{Field::destination, "s", true}, "ip6 daddr != @s"},
        {MatchIcmpType{1, 4}, "icmpv6 type 1-4"},
        {MatchIcmpType{128, 128}, "icmpv6 type 128"},
    };
    for (const Case& c : ipv6_cases) {
        EXPECT_EQ(text(c.statement, Family::ipv6), c.words);
    }
    EXPECT_EQ(text(Rule{{MatchUntracked{}, Notrack{}, Counter{}}, {}, 0}, Family::ipv4),
              "ct state untracked notrack counter");
    EXPECT_EQ(text(Rule{}, Family::ipv4), "");
    EXPECT_EQ(table_text(Family::ipv4, "statnat"), "ip statnat");
    EXPECT_EQ(table_text(Family::ipv6, "statnat-red"), "ip6 statnat-red");
}

}  // namespace
}  // namespace statnat
