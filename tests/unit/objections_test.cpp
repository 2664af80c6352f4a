// SPDX-License-Identifier: GPL-2.0-or-later
// What a pair may not be, alone and beside others: the questions that `add` and the file share.
#include "objections.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace statnat {
namespace {

Pair make_pair(const std::string& internal, const std::string& external, const std::string& comment = "") {
    return {*Address::parse(internal), *Address::parse(external), comment};
}

TEST(WhyNotTest, NamesTheFirstThingThatIsWrong) {
    const std::vector<Pair> others = {make_pair("10.0.0.2", "198.51.100.2"), make_pair("10.0.0.3", "198.51.100.3"),
                                      make_pair("fd00::3", "2001:db8::3")};
    struct Case {
        Pair pair;
        std::string why;
    };
    const std::string one_side = ": legal is an address on one side only";
    const std::string one_host = ": legal is the IPv4 address of one host";
    const std::string one_ipv6_host = ": legal is the IPv6 address of one host";
    const std::string one_family = ": legal are two IPv4 or two IPv6 addresses";
    const std::vector<Case> cases = {
        {make_pair("10.0.0.4", "198.51.100.4", "mail"), ""},
        {make_pair("10.0.0.3", "198.51.100.4"), "10.0.0.3 is already the internal address of 198.51.100.3"},
        {make_pair("10.0.0.4", "198.51.100.3"), "198.51.100.3 is already the external address of 10.0.0.3"},
        {make_pair("198.51.100.3", "192.0.2.4"), "198.51.100.3 is already the external address of 10.0.0.3" + one_side},
        {make_pair("10.0.0.4", "10.0.0.3"), "10.0.0.3 is already the internal address of 198.51.100.3" + one_side},
        {make_pair("10.0.0.4", "10.0.0.4"), "10.0.0.4 is both sides of its pair: legal are two different addresses"},
        {make_pair("0.0.0.0", "198.51.100.4"), "0.0.0.0 is the unspecified address" + one_host},
        {make_pair("127.0.0.1", "198.51.100.4"), "127.0.0.1 is a loopback address" + one_host},
        {make_pair("10.0.0.4", "224.0.0.1"), "224.0.0.1 is a multicast address" + one_host},
        {make_pair("10.0.0.4", "255.255.255.255"), "255.255.255.255 is the broadcast address" + one_host},
        {make_pair("224.0.0.1", "224.0.0.1"), "224.0.0.1 is a multicast address" + one_host},
        {make_pair("10.0.0.4", "2001:db8::4"),
         "2001:db8::4 is not of the same family as 10.0.0.4" + one_family},
        {make_pair("fd00::4", "198.51.100.4"), "198.51.100.4 is not of the same family as fd00::4" + one_family},
        {make_pair("fe80::4", "198.51.100.4"), "fe80::4 is a link-local address" + one_ipv6_host},
        {make_pair("fd00::4", "2001:db8::4", "mail"), ""},
        {make_pair("fd00::3", "2001:db8::4"), "fd00::3 is already the internal address of 2001:db8::3"},
        {make_pair("fd00::4", "2001:db8::3"), "2001:db8::3 is already the external address of fd00::3"},
        {make_pair("2001:db8::3", "2001:db8::4"), "2001:db8::3 is already the external address of fd00::3" + one_side},
        {make_pair("fd00::4", "fd00::4"), "fd00::4 is both sides of its pair: legal are two different addresses"},
        {make_pair("::", "2001:db8::4"), ":: is the unspecified address" + one_ipv6_host},
        {make_pair("fd00::4", "::1"), "::1 is a loopback address" + one_ipv6_host},
        {make_pair("ff02::1", "2001:db8::4"), "ff02::1 is a multicast address" + one_ipv6_host},
        {make_pair("fd00::4", "fe80::1"), "fe80::1 is a link-local address" + one_ipv6_host},
        {make_pair("fd00::4", "::ffff:192.0.2.1"), "::ffff:192.0.2.1 is an IPv4-mapped address" + one_ipv6_host},
    };
    for (const Case& c : cases) {
        EXPECT_EQ(why_not(c.pair, others).value_or(""), c.why);
    }
}

TEST(WhyNotTest, HoldsCommentsToWhatNftCanCarryAndReadBack) {
    const std::string legal = ": legal are 127 bytes of printable UTF-8 without \"";
    struct Case {
        std::string comment;
        std::string why;
    };
    const std::vector<Case> cases = {
        {"", ""},
        {std::string(127, 'x'), ""},
        {std::string(128, 'x'), "a comment of 128 bytes" + legal},
        {"b\xc3\xbcro \xe2\x82\xac \xf0\x9f\x93\xa7", ""},
        {"a\nb", "a comment with a control character, \"a\\x0ab\"" + legal},
        {"a\tb", "a comment with a control character, \"a\\x09b\"" + legal},
        {std::string("a\0b", 3), "a comment with a control character, \"a\\x00b\"" + legal},
        {"\x7f", "a comment with a control character, \"\\x7f\"" + legal},
        {"\xc2\x9b", "a comment with a control character, \"\\xc2\\x9b\"" + legal},
        {"\xc2\xa0", ""},
        {"the \"mail\"", "a comment with a quotation mark, \"the \"mail\"\"" + legal},
        {"b\xfcro", "a comment that is not UTF-8, \"b\\xfcro\"" + legal},
        {"\xc3", "a comment that is not UTF-8, \"\\xc3\"" + legal},
        {"\xc0\xaf", "a comment that is not UTF-8, \"\\xc0\\xaf\"" + legal},
        {"\xe0\x80\xaf", "a comment that is not UTF-8, \"\\xe0\\x80\\xaf\"" + legal},
        {"\xed\xa0\x80", "a comment that is not UTF-8, \"\\xed\\xa0\\x80\"" + legal},
        {"\xf4\x90\x80\x80", "a comment that is not UTF-8, \"\\xf4\\x90\\x80\\x80\"" + legal},
        {"\xff", "a comment that is not UTF-8, \"\\xff\"" + legal},
    };
    for (const Case& c : cases) {
        EXPECT_EQ(why_not(make_pair("10.0.0.2", "198.51.100.2", c.comment), {}).value_or(""), c.why);
    }
}

TEST(NotAnAddressTest, TellsPrefixesApart) {
    const std::string prefix =
        " is a prefix, and pairs of prefixes are not offered yet: legal is the address of one host";
    EXPECT_EQ(not_an_address("10.0.0.0/24"), "\"10.0.0.0/24\"" + prefix);
    EXPECT_EQ(not_an_address("fd00::/48"), "\"fd00::/48\"" + prefix);
    EXPECT_EQ(not_an_address("mail"), "\"mail\" is not an address: legal is one such as 10.0.0.2 or fd00::2");
}

TEST(InQuotesTest, IsBoundedAndFitForATerminal) {
    EXPECT_EQ(in_quotes("a\x1b[31m"), "\"a\\x1b[31m\"");
    EXPECT_EQ(in_quotes(std::string(60, 'x')), "\"" + std::string(60, 'x') + "\"");
    EXPECT_EQ(in_quotes(std::string(61, 'x')), "\"" + std::string(60, 'x') + "...\"");
}

}  // namespace
}  // namespace statnat
