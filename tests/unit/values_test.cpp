// SPDX-License-Identifier: GPL-2.0-or-later
// Addresses and prefixes: what is read, what is refused, and that text comes back as it went in.
#include "names.hpp"
#include "pairs/pair.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace statnat {
namespace {

TEST(AddressTest, ReadsAndWritesTheCanonicalForm) {
    struct Case {
        std::string text;
        std::string canonical;
        Family family;
    };
    const std::vector<Case> cases = {
        {"0.0.0.0", "0.0.0.0", Family::ipv4},
        {"10.0.0.2", "10.0.0.2", Family::ipv4},
        {"255.255.255.255", "255.255.255.255", Family::ipv4},
        {"::", "::", Family::ipv6},
        {"2001:DB8:0:0::1", "2001:db8::1", Family::ipv6},
        {"::ffff:192.0.2.1", "::ffff:192.0.2.1", Family::ipv6},
        {"2001:db8:1:2:3:4:5:6", "2001:db8:1:2:3:4:5:6", Family::ipv6},
        // RFC 5952, sections 4.1 to 4.3
        {"2001:0db8:0001:0000:0000:0000:0000:0002", "2001:db8:1::2", Family::ipv6},
        {"2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1", Family::ipv6},
        {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1", Family::ipv6},
        {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1", Family::ipv6},
        {"FD00:ABCD:0:0:0:0:0:0", "fd00:abcd::", Family::ipv6},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.text);
        const auto address = Address::parse(c.text);
        ASSERT_TRUE(address);
        EXPECT_EQ(address->family, c.family);
        EXPECT_EQ(address->size(), c.family == Family::ipv4 ? 4U : 16U);
        EXPECT_EQ(address->text(), c.canonical);
        EXPECT_EQ(Address::parse(address->text()), address);
    }
}

TEST(AddressTest, KeepsNetworkByteOrderAndZeroesTheRest) {
    const std::array<std::uint8_t, 16> bytes{198, 51, 100, 2};
    EXPECT_EQ(Address::parse("198.51.100.2")->bytes, bytes);
}

TEST(AddressTest, RefusesEverythingElse) {
    using namespace std::string_literals;
    const std::vector<std::string> texts = {
        "",           " ",           "10",          "10.0.0",      "10.0.0.",         "10.0.0.2.",   "10.0.0.256",
        "10.0.0.02",  "010.0.0.2",   "0x0a.0.0.2",  "-1.0.0.0",    " 10.0.0.2",       "10.0.0.2 ",   "10.0.0.2/32",
        "localhost",  ":",           ":::",         "1::2::3",     "fe80::1%lo",      "2001:db8::g", "[::1]",
        "1:2:3:4:5:6:7:8:9", "10.0.0.2\0"s, "10.0.0.2\0.3"s, std::string(10000, '1'),
    };
    for (const std::string& text : texts) {
        EXPECT_FALSE(Address::parse(text)) << text;
    }
}

TEST(AddressTest, ReadsAPartOfAText) {
    EXPECT_EQ(Address::parse(std::string_view("10.0.0.234").substr(0, 8))->text(), "10.0.0.2");
}

TEST(AddressTest, IsOrderedByFamilyThenAsANumber) {
    const std::vector<std::string> ascending = {
        "9.255.255.255", "10.0.0.2", "10.0.0.10", "10.0.1.0", "192.0.2.1", "::", "::1", "2001:db8::",
    };
    for (std::size_t i = 1; i < ascending.size(); ++i) {
        EXPECT_LT(*Address::parse(ascending[i - 1]), *Address::parse(ascending[i])) << ascending[i];
    }
}

TEST(UnusableTest, NamesWhatCanNeverBeInAPair) {
    struct Case {
        std::string prefix;
        std::string why;
    };
    const std::vector<Case> cases = {
        {"0.0.0.0", "the unspecified address"},
        {"0.0.0.1", ""},
        {"126.255.255.255", ""},
        {"127.0.0.0", "a loopback address"},
        {"127.255.255.255", "a loopback address"},
        {"128.0.0.0", ""},
        {"169.253.255.255", ""},
        {"169.254.0.0", "a link-local address"},
        {"169.254.255.255", "a link-local address"},
        {"169.255.0.0", ""},
        {"223.255.255.255", ""},
        {"224.0.0.0", "a multicast address"},
        {"239.255.255.255", "a multicast address"},
        {"240.0.0.0", ""},
        {"255.255.255.254", ""},
        {"255.255.255.255", "the broadcast address"},
        {"::", "the unspecified address"},
        {"::1", "a loopback address"},
        {"::2", ""},
        {"7f00::1", ""},
        {"e000::1", ""},
        {"feff::1", ""},
        {"ff00::", "a multicast address"},
        {"ff02::1", "a multicast address"},
        {"fe7f:ffff::1", ""},
        {"fe80::", "a link-local address"},
        {"febf:ffff::1", "a link-local address"},
        {"fec0::1", ""},
        {"fd00::1", ""},
        {"2001:db8::1", ""},
        {"::fffe:192.0.2.1", ""},
        {"::ffff:0.0.0.0", "an IPv4-mapped address"},
        {"::ffff:192.0.2.1", "an IPv4-mapped address"},
        {"::1:ffff:192.0.2.1", ""},
        {"0.0.0.0/8", "the unspecified address"},
        {"127.1.0.0/16", "a loopback address"},
        {"112.0.0.0/4", "a loopback address"},
        {"169.254.1.0/24", "a link-local address"},
        {"169.0.0.0/8", "a link-local address"},
        {"169.128.0.0/10", ""},
        {"192.0.0.0/3", ""},
        {"192.0.0.0/2", "a multicast address"},
        {"255.0.0.0/8", "the broadcast address"},
        {"240.0.0.0/5", ""},
        {"fe80::/64", "a link-local address"},
        {"fe00::/8", "a link-local address"},
        {"::/126", "the unspecified address"},
        {"fd00::/16", ""},
    };
    for (const Case& c : cases) {
        EXPECT_EQ(unusable(*Prefix::parse(c.prefix)).value_or(""), c.why) << c.prefix;
    }
}

TEST(PrefixTest, ReadsWritesAndSpans) {
    struct Case {
        std::string text;
        std::string canonical;
        std::string first;
        std::string last;
    };
    const std::vector<Case> cases = {
        {"0.0.0.0/0", "0.0.0.0/0", "0.0.0.0", "255.255.255.255"},
        {"128.0.0.0/1", "128.0.0.0/1", "128.0.0.0", "255.255.255.255"},
        {"10.0.0.0/8", "10.0.0.0/8", "10.0.0.0", "10.255.255.255"},
        {"10.64.0.0/10", "10.64.0.0/10", "10.64.0.0", "10.127.255.255"},
        {"192.0.2.254/31", "192.0.2.254/31", "192.0.2.254", "192.0.2.255"},
        {"192.0.2.1/32", "192.0.2.1/32", "192.0.2.1", "192.0.2.1"},
        {"192.0.2.1", "192.0.2.1/32", "192.0.2.1", "192.0.2.1"},
        {"::/0", "::/0", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
        {"2001:db8::/33", "2001:db8::/33", "2001:db8::", "2001:db8:7fff:ffff:ffff:ffff:ffff:ffff"},
        {"2001:db8::1", "2001:db8::1/128", "2001:db8::1", "2001:db8::1"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.text);
        const auto prefix = Prefix::parse(c.text);
        ASSERT_TRUE(prefix);
        EXPECT_EQ(prefix->text(), c.canonical);
        EXPECT_EQ(prefix->first().text(), c.first);
        EXPECT_EQ(prefix->last().text(), c.last);
        EXPECT_EQ(Prefix::parse(prefix->text()), prefix);
        EXPECT_EQ(Prefix::enclosing(c.text), prefix);
    }
}

TEST(PrefixTest, CoversWhatBeginsAsItDoes) {
    struct Case {
        std::string prefix;
        std::string other;
        bool covers;
    };
    const std::vector<Case> cases = {
        {"10.0.0.0/8", "10.0.0.0/8", true},      {"10.0.0.0/8", "10.255.0.0/16", true},
        {"10.0.0.0/8", "10.255.255.255", true},  {"10.0.0.0/8", "11.0.0.0/16", false},
        {"10.0.0.0/8", "10.0.0.0/7", false},     {"10.64.0.0/10", "10.127.0.0/16", true},
        {"10.64.0.0/10", "10.128.0.0/16", false}, {"0.0.0.0/0", "::/0", false},
        {"fd00::/127", "fd00::1", true},         {"fd00::/127", "fd00::2", false},
        {"fd00::1", "fd00::1", true},
    };
    for (const Case& c : cases) {
        EXPECT_EQ(Prefix::parse(c.prefix)->covers(*Prefix::enclosing(c.other)), c.covers) << c.prefix << " " << c.other;
    }
}

TEST(PrefixTest, IsTheLongestInCommon) {
    struct Case {
        std::string one;
        std::string other;
        std::string common;
    };
    const std::vector<Case> cases = {
        {"10.0.0.7", "10.0.0.7", "10.0.0.7/32"},   {"10.0.0.6", "10.0.0.7", "10.0.0.6/31"},
        {"10.0.0.7", "10.0.0.8", "10.0.0.0/28"},   {"10.0.0.0", "10.255.255.255", "10.0.0.0/8"},
        {"10.0.0.0", "172.16.0.0", "0.0.0.0/0"},   {"fd00::7", "fd00::7", "fd00::7/128"},
        {"fd00::", "fd00:0:0:1::", "fd00::/63"},   {"2000::", "fd00::", "::/0"},
    };
    for (const Case& c : cases) {
        const Address one = *Address::parse(c.one);
        const Address other = *Address::parse(c.other);
        EXPECT_EQ(Prefix::common(one, other).text(), c.common) << c.one << " " << c.other;
        EXPECT_EQ(Prefix::common(other, one), Prefix::common(one, other));
    }
}

TEST(PrefixTest, IsShortForAHost) {
    EXPECT_EQ(Prefix::parse("10.0.0.2/32")->short_text(), "10.0.0.2");
    EXPECT_EQ(Prefix::parse("10.0.0.2/31")->short_text(), "10.0.0.2/31");
    EXPECT_EQ(Prefix::host(*Address::parse("fd00::2")).short_text(), "fd00::2");
}

TEST(AddressTest, HasANext) {
    EXPECT_EQ(next(*Address::parse("10.0.0.255"))->text(), "10.0.1.0");
    EXPECT_EQ(next(*Address::parse("fd00::ffff"))->text(), "fd00::1:0");
    EXPECT_FALSE(next(*Address::parse("255.255.255.255")));
    EXPECT_FALSE(next(*Address::parse("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")));
}

TEST(PrefixTest, RefusesHostBitsButKnowsTheEnclosingPrefix) {
    struct Case {
        std::string text;
        std::string enclosing;
    };
    const std::vector<Case> cases = {
        {"10.0.0.1/8", "10.0.0.0/8"},         {"10.0.0.128/24", "10.0.0.0/24"}, {"0.0.0.1/0", "0.0.0.0/0"},
        {"192.0.2.255/31", "192.0.2.254/31"}, {"2001:db8::1/64", "2001:db8::/64"},
    };
    for (const Case& c : cases) {
        EXPECT_FALSE(Prefix::parse(c.text)) << c.text;
        EXPECT_EQ(Prefix::enclosing(c.text)->text(), c.enclosing);
    }
}

TEST(PrefixTest, RefusesEverythingElse) {
    const std::vector<std::string> texts = {
        "",            "/",           "/8",           "10.0.0.0/",    "10.0.0.0/33", "10.0.0.0/-1",
        "10.0.0.0/+8", "10.0.0.0/8 ", "10.0.0.0/ 8",  "10.0.0.0/8/8", "10.0.0.0/256", "10.0.0.0/08",
        "10.0.0.0/x",  "10.0.0/8",    "10/8",         "::/129",
    };
    for (const std::string& text : texts) {
        EXPECT_FALSE(Prefix::parse(text)) << text;
        EXPECT_FALSE(Prefix::enclosing(text)) << text;
    }
}

TEST(InstanceTest, TablesAreCalledAfterIt) {
    EXPECT_EQ(Instance().table(), "statnat");
    EXPECT_EQ(Instance("red").table(), "statnat-red");
    EXPECT_EQ(Instance::of_table("statnat"), Instance());
    EXPECT_EQ(Instance::of_table("statnat-a-b"), Instance("a-b"));
    for (const std::string name :
         {"", "statnat-", "statnatx", "statnat.doctor", "statnat--x", "statnat-conf", "other"}) {
        EXPECT_FALSE(Instance::of_table(name)) << name;
    }
}

}  // namespace
}  // namespace statnat
