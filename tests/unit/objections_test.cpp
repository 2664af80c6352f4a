// SPDX-License-Identifier: GPL-2.0-or-later
// What a pair may not be, alone and beside others: the questions that `add` and the file share.
#include "pairs/objections.hpp"

#include "printable.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace statnat {
namespace {

Pair make_pair(const std::string& internal, const std::string& external, bool npt = false) {
    return {*Prefix::parse(internal), *Prefix::parse(external), npt, ""};
}

Proposal make_request(const std::string& internal, const std::string& external, const std::string& comment = "") {
    return {*Prefix::parse(internal), *Prefix::parse(external), {}, comment};
}

TEST(WhyNotTest, NamesTheFirstThingThatIsWrong) {
    const Pairs others = {make_pair("10.0.0.2", "198.51.100.2"), make_pair("10.0.0.3", "198.51.100.3"),
                                      make_pair("fd00::3", "2001:db8::3")};
    struct Case {
        Proposal pair;
        std::string why;
    };
    const std::string one_side = ": legal is an address on one side only";
    const std::string one_host = ": legal is the IPv4 address of one host";
    const std::string one_ipv6_host = ": legal is the IPv6 address of one host";
    const std::string one_family = ": legal are two IPv4 or two IPv6 addresses";
    const std::vector<Case> cases = {
        {make_request("10.0.0.4", "198.51.100.4", "mail"), ""},
        {make_request("10.0.0.3", "198.51.100.4"), "10.0.0.3 is already the internal address of 198.51.100.3"},
        {make_request("10.0.0.4", "198.51.100.3"), "198.51.100.3 is already the external address of 10.0.0.3"},
        {make_request("198.51.100.3", "192.0.2.4"),
         "198.51.100.3 is already the external address of 10.0.0.3" + one_side},
        {make_request("10.0.0.4", "10.0.0.3"), "10.0.0.3 is already the internal address of 198.51.100.3" + one_side},
        {make_request("10.0.0.4", "10.0.0.4"), "10.0.0.4 is both sides of its pair: legal are two different addresses"},
        {make_request("0.0.0.0", "198.51.100.4"), "0.0.0.0 is the unspecified address" + one_host},
        {make_request("127.0.0.1", "198.51.100.4"), "127.0.0.1 is a loopback address" + one_host},
        {make_request("10.0.0.4", "224.0.0.1"), "224.0.0.1 is a multicast address" + one_host},
        {make_request("10.0.0.4", "255.255.255.255"), "255.255.255.255 is the broadcast address" + one_host},
        {make_request("224.0.0.1", "224.0.0.1"), "224.0.0.1 is a multicast address" + one_host},
        {make_request("10.0.0.4", "2001:db8::4"),
         "2001:db8::4 is not of the same family as 10.0.0.4" + one_family},
        {make_request("fd00::4", "198.51.100.4"), "198.51.100.4 is not of the same family as fd00::4" + one_family},
        {make_request("fe80::4", "198.51.100.4"), "fe80::4 is a link-local address" + one_ipv6_host},
        {make_request("fd00::4", "2001:db8::4", "mail"), ""},
        {make_request("fd00::3", "2001:db8::4"), "fd00::3 is already the internal address of 2001:db8::3"},
        {make_request("fd00::4", "2001:db8::3"), "2001:db8::3 is already the external address of fd00::3"},
        {make_request("2001:db8::3", "2001:db8::4"),
         "2001:db8::3 is already the external address of fd00::3" + one_side},
        {make_request("fd00::4", "fd00::4"), "fd00::4 is both sides of its pair: legal are two different addresses"},
        {make_request("::", "2001:db8::4"), ":: is the unspecified address" + one_ipv6_host},
        {make_request("fd00::4", "::1"), "::1 is a loopback address" + one_ipv6_host},
        {make_request("ff02::1", "2001:db8::4"), "ff02::1 is a multicast address" + one_ipv6_host},
        {make_request("fd00::4", "fe80::1"), "fe80::1 is a link-local address" + one_ipv6_host},
        {make_request("fd00::4", "::ffff:192.0.2.1"), "::ffff:192.0.2.1 is an IPv4-mapped address" + one_ipv6_host},
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
        EXPECT_EQ(why_not(make_request("10.0.0.2", "198.51.100.2", c.comment), {}).value_or(""), c.why);
    }
}

TEST(WhyNotTest, TellsPrefixesThatCanNotBe) {
    struct Case {
        std::string internal;
        std::string external;
        std::optional<bool> npt;
        std::string why;
    };
    const std::string npt = ": legal are IPv6 prefixes from /16 to /64";
    const std::vector<Case> cases = {
        {"10.0.0.0/8", "20.0.0.0/8", {}, ""},
        {"fd00::/16", "2001::/16", {}, ""},
        {"fd00::/16", "2001::/16", true, ""},
        {"fd00:1::/64", "2001:db8::/64", true, ""},
        {"10.0.0.0/7", "20.0.0.0/7", {}, "10.0.0.0/7 is too short a prefix: legal are IPv4 prefixes from /8 on"},
        {"0.0.0.0/0", "20.0.0.0/8", {}, "0.0.0.0/0 is too short a prefix: legal are IPv4 prefixes from /8 on"},
        {"fc00::/15", "2000::/15", {}, "fc00::/15 is too short a prefix: legal are IPv6 prefixes from /16 on"},
        {"0.0.0.0/8", "20.0.0.0/8", {}, "0.0.0.0/8 covers the unspecified address: legal is a prefix of hosts"},
        {"10.0.0.0/8", "127.0.0.0/8", {}, "127.0.0.0/8 covers a loopback address: legal is a prefix of hosts"},
        {"10.0.0.0/8", "224.0.0.0/8", {}, "224.0.0.0/8 covers a multicast address: legal is a prefix of hosts"},
        {"10.0.0.0/8", "255.0.0.0/8", {}, "255.0.0.0/8 covers the broadcast address: legal is a prefix of hosts"},
        {"fe80::/64", "2001:db8::/64", {}, "fe80::/64 covers a link-local address: legal is a prefix of hosts"},
        {"fd00::/64", "::/64", {}, "::/64 covers the unspecified address: legal is a prefix of hosts"},
        {"fd00::/96", "::ffff:0:0/96", {},
         "::ffff:0.0.0.0/96 covers an IPv4-mapped address: legal is a prefix of hosts"},
        {"fd00::/48", "20.0.0.0/8", {},
         "20.0.0.0/8 is not of the same family as fd00::/48: legal are two IPv4 or two IPv6 prefixes"},
        {"10.0.0.0/24", "20.0.0.0/25", {},
         "20.0.0.0/25 is not as long as 10.0.0.0/24: legal are two prefixes of equal length"},
        {"10.0.0.0/24", "20.0.0.1", {},
         "20.0.0.1 is not as long as 10.0.0.0/24: legal are two prefixes of equal length"},
        {"fd00::/48", "2001:db8::/56", false,
         "2001:db8::/56 is not as long as fd00::/48: legal are two prefixes of equal length, or npt = true"},
        {"fd00::/48", "2001:db8::/56", true, ""},
        {"fd00::/48", "2001:db8::/72", true,
         "2001:db8::/72 is not as long as fd00::/48: legal are two prefixes of equal length"},
        {"10.0.0.0/24", "10.0.0.0/24", {},
         "10.0.0.0/24 is both sides of its pair: legal are two different prefixes"},
        {"10.0.0.0/24", "20.0.0.0/24", true, "npt of 10.0.0.0/24, which is IPv4" + npt},
        {"fd00::/65", "2001:db8::/65", true,
         "npt of fd00::/65, which leaves no interface identifier to adjust" + npt},
        {"fd00::1", "2001:db8::1", true, "npt of fd00::1, which leaves no interface identifier to adjust" + npt},
    };
    for (const Case& c : cases) {
        Proposal request{*Prefix::parse(c.internal), *Prefix::parse(c.external), c.npt, ""};
        request.settle(false);
        EXPECT_EQ(why_not(request, {}).value_or(""), c.why) << c.internal << " " << c.external;
    }
}

TEST(WhyNotTest, TellsWhatPrefixesDoToEachOther) {
    const Pairs others = {make_pair("10.1.0.0/24", "203.0.113.0/24"), make_pair("10.9.0.8", "192.0.2.8"),
                                      make_pair("fd01:203:405::/48", "2001:db8:1::/48", true),
                                      make_pair("fd01:203:406::/56", "2001:db8:2::/56", true)};
    struct Case {
        std::string internal;
        std::string external;
        std::string why;
    };
    const std::string one_side = ": legal is an address on one side only";
    const auto shared = [](const std::string& internal) {
        return ", and " + internal + " reaches it too: legal is one internal for each external, so move one or give " +
               internal + " a pair of its own";
    };
    const std::vector<Case> cases = {
        {"10.1.0.5", "198.51.100.5", ""},
        {"10.1.0.5", "203.0.113.5", ""},
        {"10.1.0.128/25", "198.51.100.0/25", ""},
        {"10.1.0.0/16", "20.1.0.0/16", ""},
        {"10.1.0.0/24", "20.1.0.0/24", "10.1.0.0/24 is already the internal prefix of 203.0.113.0/24"},
        {"10.2.0.0/24", "203.0.113.0/24", "203.0.113.0/24 is already the external prefix of 10.1.0.0/24"},
        {"203.0.113.0/24", "20.1.0.0/24",
         "203.0.113.0/24 is already the external prefix of 10.1.0.0/24" + one_side},
        {"203.0.113.7", "20.1.0.7",
         "203.0.113.7 is inside 203.0.113.0/24, the external prefix of 10.1.0.0/24" + one_side},
        {"192.0.2.0/24", "20.1.0.0/24", "192.0.2.0/24 covers 192.0.2.8, the external address of 10.9.0.8" + one_side},
        {"10.9.0.5", "203.0.113.5",
         "203.0.113.5 is inside 203.0.113.0/24, the external prefix of 10.1.0.0/24" + shared("10.1.0.5")},
        {"10.2.0.0/24", "192.0.2.0/24",
         "192.0.2.0/24 covers 192.0.2.8, the external address of 10.9.0.8" + shared("10.2.0.8")},
        // The word 48 to 63 of an npt pair is another one outside.
        {"fd01:203:405:1::7", "2001:db8:9::7", ""},
        {"fd01:203:405:1::/64", "2001:db8:9::/64", ""},
        {"fd01:203:405:ffff::/64", "2001:db8:9::/64", ""},
        {"fd09::7", "2001:db8:1:d550::7",
         "2001:db8:1:d550::7 is inside 2001:db8:1::/48, the external prefix of fd01:203:405::/48" +
             shared("fd01:203:405:1::7")},
        {"fd01:203:405:1::7", "2001:db8:1:d550::7", ""},
        {"fd09::7", "2001:db8:1:ffff::7", ""},
        {"fd09::", "2001:db8:1:d550::", ""},
        {"fd01:203:405:8000::/50", "2001:db8:9:8000::/50",
         "fd01:203:405:8000::/50 is inside fd01:203:405::/48, the internal prefix of 2001:db8:1::/48, and npt does not "
         "keep it together: legal inside fd01:203:405::/48 are prefixes up to /48 and from /64 on"},
        {"fd09::/50", "2001:db8:1:8000::/50",
         "2001:db8:1:8000::/50 is inside 2001:db8:1::/48, the external prefix of fd01:203:405::/48, and npt does not "
         "keep it together: legal inside 2001:db8:1::/48 are prefixes up to /48 and from /64 on"},
        {"fd01:203:400::/40", "2001:db8:9900::/40", ""},
        {"fd01:203:406:1::/64", "2001:db8:9::/64", ""},
        {"fd01:203:406:1::/72", "2001:db8:9::/72",
         "fd01:203:406:1::/72 is inside fd01:203:406::/56, the internal prefix of 2001:db8:2::/56, and npt does not "
         "keep it together: legal inside fd01:203:406::/56 are prefixes up to /64 and hosts"},
    };
    for (const Case& c : cases) {
        EXPECT_EQ(why_not(make_request(c.internal, c.external), others).value_or(""), c.why) << c.internal;
    }
}

TEST(WhyNotTest, TellsWhatComesToLight) {
    const Pair wide = make_pair("10.1.0.0/24", "203.0.113.0/24");
    const Pair guest = make_pair("10.9.0.5", "203.0.113.5");
    EXPECT_EQ(why_not_without({make_pair("10.1.0.5", "198.51.100.5"), guest, wide}), std::nullopt);
    EXPECT_EQ(why_not_without({guest, wide}),
              "203.0.113.5 is inside 203.0.113.0/24, the external prefix of 10.1.0.0/24, and 10.1.0.5 reaches it too: "
              "legal is one internal for each external, so move one or give 10.1.0.5 a pair of its own");
}

TEST(WhyNotTest, TheNativeEngineHasHostsOnly) {
    EXPECT_EQ(why_not_native(make_pair("10.0.0.2", "198.51.100.2")), std::nullopt);
    EXPECT_EQ(why_not_native(make_pair("fd00::/48", "2001:db8::/48", true)),
              "fd00::/48 2001:db8::/48 npt needs the engine \"expression\": stock rules cannot keep the host bits of a "
              "prefix (install the module nft_snat_stateless, or name each host)");
}

TEST(RequestTest, TakesNptFromTheGatewayWhereItCan) {
    struct Case {
        std::string internal;
        std::string external;
        std::optional<bool> npt;
        bool gateway;
        std::string settled;
    };
    const std::vector<Case> cases = {
        {"fd00::/48", "2001:db8::/48", {}, false, "fd00::/48 2001:db8::/48"},
        {"fd00::/48", "2001:db8::/48", {}, true, "fd00::/48 2001:db8::/48 npt"},
        {"fd00::/48", "2001:db8::/48", false, true, "fd00::/48 2001:db8::/48"},
        {"fd00::/48", "2001:db8::/48", true, false, "fd00::/48 2001:db8::/48 npt"},
        {"fd00::/65", "2001:db8::/65", {}, true, "fd00::/65 2001:db8::/65"},
        {"fd00::2", "2001:db8::2", {}, true, "fd00::2 2001:db8::2"},
        {"10.0.0.0/24", "203.0.113.0/24", {}, true, "10.0.0.0/24 203.0.113.0/24"},
        // RFC 6296, 3.7
        {"fd00::/48", "2001:db8::/56", {}, true, "fd00::/56 2001:db8::/56 npt"},
        {"fd00::/64", "2001:db8::/48", true, false, "fd00::/64 2001:db8::/64 npt"},
        {"fd00::/48", "2001:db8::/56", {}, false, "fd00::/48 2001:db8::/56"},
    };
    for (const Case& c : cases) {
        Proposal request{*Prefix::parse(c.internal), *Prefix::parse(c.external), c.npt, ""};
        request.settle(c.gateway);
        EXPECT_EQ(request.pair().text(), c.settled);
    }
}

TEST(NotASideTest, TellsHostBits) {
    EXPECT_EQ(not_a_side("10.0.0.1/24"), "\"10.0.0.1/24\" has host bits set: legal is 10.0.0.0/24");
    EXPECT_EQ(not_a_side("mail"), "\"mail\" is neither an address nor a prefix: legal is one such as 10.0.0.2, fd00::2 "
                                  "or 10.1.0.0/24");
}

TEST(InQuotesTest, IsBoundedAndFitForATerminal) {
    EXPECT_EQ(in_quotes("a\x1b[31m"), "\"a\\x1b[31m\"");
    EXPECT_EQ(in_quotes(std::string(60, 'x')), "\"" + std::string(60, 'x') + "\"");
    EXPECT_EQ(in_quotes(std::string(61, 'x')), "\"" + std::string(60, 'x') + "...\"");
}

}  // namespace
}  // namespace statnat
