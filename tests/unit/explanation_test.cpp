// SPDX-License-Identifier: GPL-2.0-or-later
// What is said about an address: with a pair, with two, with none, in a hole, and where npt has no counterpart.
#include "reports/explanation_text.hpp"

#include "ruleset/layout.hpp"

#include <gtest/gtest.h>

#include <string>

namespace statnat {
namespace {

Pair make_pair(const std::string& internal, const std::string& external, const std::string& comment = "",
               bool npt = false) {
    return {*Prefix::parse(internal), *Prefix::parse(external), npt, comment};
}

Ruleset make_ruleset() {
    Configuration configuration;
    configuration.pairs = {make_pair("10.1.0.0/24", "203.0.113.0/24", "lab"),
                           make_pair("10.1.0.5", "198.51.100.5", "mail"),
                           make_pair("fd01:203:405::/48", "2001:db8:1::/48", "", true)};
    configuration.exempt_destinations = {*Prefix::parse("10.0.0.0/8")};
    return layout(configuration, Engine::expression);
}

Explanation explained(const std::string& address) {
    return explain(make_ruleset(), *Address::parse(address));
}

const std::string outbound_rule =
    "snat_stateless saddr map @int2ext within 10.1.0.5, @int2ext_24 prefix 24 within 10.1.0.0/24 untracked";
const std::string inbound_rule =
    "snat_stateless daddr map @ext2int within 192.0.0.0/4, @ext2int_24 prefix 24 within 203.0.113.0/24 notrack"
    " else saddr map @int2ext within 10.1.0.5, @int2ext_24 prefix 24 within 10.1.0.0/24 untrack"
    " unless daddr 10.0.0.0/8";

TEST(ExplanationTest, TellsThePairAndTheRule) {
    EXPECT_EQ(as_text(explained("10.1.0.7"), "statnat"),
              "10.1.0.7\n"
              "  as the source of an internal host: becomes 203.0.113.7\n"
              "    pair: 10.1.0.0/24 203.0.113.0/24 # lab\n"
              "    map: ip statnat int2ext_24\n"
              "    rule: ip statnat postrouting: " + outbound_rule + "\n"
              "    but not on the way to: 10.0.0.0/8\n"
              "  as the destination from outside: no pair has it\n"
              "    rule: ip statnat prerouting: " + inbound_rule + "\n"
              "  as the destination of internal hosts: exempt, by 10.0.0.0/8\n");
}

TEST(ExplanationTest, TellsWhatIsOverridden) {
    EXPECT_EQ(as_text(explained("10.1.0.5"), "statnat"),
              "10.1.0.5\n"
              "  as the source of an internal host: becomes 198.51.100.5\n"
              "    pair: 10.1.0.5 198.51.100.5 # mail\n"
              "    map: ip statnat int2ext\n"
              "    rule: ip statnat postrouting: " + outbound_rule + "\n"
              "    overrides: 10.1.0.0/24 203.0.113.0/24 # lab, by which it becomes 203.0.113.5\n"
              "    but not on the way to: 10.0.0.0/8\n"
              "  as the destination from outside: no pair has it\n"
              "    rule: ip statnat prerouting: " + inbound_rule + "\n"
              "  as the destination of internal hosts: exempt, by 10.0.0.0/8\n");
}

TEST(ExplanationTest, TellsAHole) {
    const Explanation hole = explained("203.0.113.5");
    EXPECT_FALSE(hole.has_pair());
    EXPECT_EQ(as_text(hole, "statnat"),
              "203.0.113.5\n"
              "  as the source of an internal host: no pair has it\n"
              "    rule: ip statnat postrouting: " + outbound_rule + "\n"
              "  as the destination from outside: no pair has it: 203.0.113.5 is a hole, since its internal host has "
              "another pair: 10.1.0.5 198.51.100.5 # mail\n"
              "    map: ip statnat ext2int\n"
              "    rule: ip statnat prerouting: " + inbound_rule + "\n"
              "    overrides: 10.1.0.0/24 203.0.113.0/24 # lab, by which it becomes 10.1.0.5\n");
}

TEST(ExplanationTest, TellsWhatIsExcluded) {
    Configuration configuration;
    configuration.pairs = {make_pair("10.1.0.0/24", "203.0.113.0/24", "lab")};
    configuration.pairs.exclude(*Prefix::parse("10.1.0.16/28"));
    const Ruleset ruleset = layout(configuration, Engine::expression);
    const auto lines_about = [&](const char* address) {
        return as_text(explain(ruleset, *Address::parse(address)), "statnat");
    };
    EXPECT_NE(lines_about("10.1.0.17").find("internal host: no pair has it: 10.1.0.16/28 is excluded\n"),
              std::string::npos);
    EXPECT_NE(lines_about("203.0.113.17").find("from outside: no pair has it: 203.0.113.16/28 is a hole, since "
                                               "10.1.0.16/28 is excluded\n"),
              std::string::npos);
    EXPECT_NE(as_json(explain(ruleset, *Address::parse("203.0.113.17"))).find(R"("excluded":"10.1.0.16/28")"),
              std::string::npos);
}

// Elements added by hand; the rules are those that they were.
TEST(ExplanationTest, AsksNoMapOutsideOfWhatItIsWithin) {
    Ruleset ruleset = make_ruleset();
    for (Map& map : ruleset.front().maps) {
        if (map.name == "int2ext_24") {
            map.elements.push_back(*Address::parse("10.1.1.0"), *Address::parse("203.0.112.0"));
            map.elements.sort();
        }
    }
    EXPECT_FALSE(explain(ruleset, *Address::parse("10.1.1.7")).has_pair());
    for (Chain& chain : ruleset.front().chains) {
        for (Rule& rule : chain.rules) {
            for (Statement& statement : rule.statements) {
                if (auto* ours = std::get_if<SnatStateless>(&statement)) {
                    ours->maps.back().within.reset();
                }
            }
        }
    }
    EXPECT_TRUE(explain(ruleset, *Address::parse("10.1.1.7")).has_pair());
}

TEST(ExplanationTest, KnowsTheCommentOfAnExternalAddress) {
    const Explanation there = explained("203.0.113.7");
    EXPECT_TRUE(there.has_pair());
    EXPECT_FALSE(there.outbound.match);
    EXPECT_EQ(there.inbound.match->becomes->text(), "10.1.0.7");
    EXPECT_EQ(there.inbound.match->pair.comment, "lab");
}

TEST(ExplanationTest, DoesTheArithmeticOfNpt) {
    EXPECT_EQ(explained("fd01:203:405:1::1234").outbound.match->becomes->text(), "2001:db8:1:d550::1234");
    EXPECT_EQ(explained("2001:db8:1:d550::1234").inbound.match->becomes->text(), "fd01:203:405:1::1234");
    const Explanation subnet = explained("fd01:203:405:ffff::1");
    EXPECT_TRUE(subnet.has_pair());
    EXPECT_FALSE(subnet.outbound.match->becomes);
    const std::string dropped = "is dropped, and its sender told: ";
    EXPECT_NE(as_text(subnet, "statnat").find(dropped + "subnet 0xffff has no counterpart (RFC 6296, 3.2)\n"),
              std::string::npos);
    EXPECT_NE(as_text(explained("2001:db8:1:1::"), "statnat")
                  .find(dropped + "its interface identifier has no counterpart (RFC 6296, 3.7)\n"),
              std::string::npos);
}

TEST(ExplanationTest, TellsTheNativeEngineAndNothingAtAll) {
    Configuration configuration;
    configuration.pairs = {make_pair("10.0.0.2", "198.51.100.2")};
    Ruleset ruleset = layout(configuration, Engine::native);
    EXPECT_EQ(as_text(explain(ruleset, *Address::parse("198.51.100.2")), "statnat"),
              "198.51.100.2\n"
              "  as the source of an internal host: no pair has it\n"
              "    rule: ip statnat postrouting: iif != 0 ip saddr @internal fib daddr type unicast "
              "ip daddr != 169.254.0.0/16 ip saddr set ip saddr map @int2ext\n"
              "  as the destination from outside: becomes 10.0.0.2\n"
              "    pair: 10.0.0.2 198.51.100.2\n"
              "    map: ip statnat ext2int\n"
              "    rule: ip statnat prerouting: ip saddr != 169.254.0.0/16 "
              "ip daddr set ip daddr map @ext2int notrack\n");
    const std::string nothing = "10.0.0.2\n"
                                "  as the source of an internal host: no rule translates it\n"
                                "  as the destination from outside: no rule translates it\n";
    EXPECT_EQ(as_text(explain({}, *Address::parse("10.0.0.2")), "statnat"), nothing);
    ruleset.front().chains.clear();
    EXPECT_EQ(as_text(explain(ruleset, *Address::parse("10.0.0.2")), "statnat"), nothing);
}

TEST(ExplanationTest, WritesJson) {
    const std::string outbound =
        "\"map\":\"int2ext\",\"chain\":\"postrouting\",\"rule\":\"" + outbound_rule + "\"";
    const std::string inbound = "\"chain\":\"prerouting\",\"rule\":\"" + inbound_rule + "\"";
    EXPECT_EQ(as_json(explained("10.1.0.5")),
              "{\"address\":\"10.1.0.5\",\"outbound\":{"
              "\"pair\":{\"internal\":\"10.1.0.5\",\"external\":\"198.51.100.5\","
              "\"npt\":false,\"comment\":\"mail\"},\"becomes\":\"198.51.100.5\"," +
                  outbound +
                  ",\"overrides\":[{\"pair\":{\"internal\":\"10.1.0.0/24\",\"external\":\"203.0.113.0/24\","
                  "\"npt\":false,\"comment\":\"lab\"},\"becomes\":\"203.0.113.5\"}]},\"inbound\":{" +
                  inbound + ",\"overrides\":[]},\"exempt_destinations\":[\"10.0.0.0/8\"],\"exempt\":\"10.0.0.0/8\","
                  "\"external_interfaces\":[],\"only_destinations\":[]}\n");
    EXPECT_EQ(as_json(explain({}, *Address::parse("fd00::1"))),
              "{\"address\":\"fd00::1\",\"outbound\":{\"overrides\":[]},\"inbound\":{\"overrides\":[]},"
              "\"exempt_destinations\":[],\"exempt\":null,\"external_interfaces\":[],\"only_destinations\":[]}\n");
}

}  // namespace
}  // namespace statnat
