// SPDX-License-Identifier: GPL-2.0-or-later
// Plans: the exact steps of each kind of change, and, over random rulesets, that the kernel accepts them and ends up
// with what is desired.
#include "ruleset/plan.hpp"

#include "kernel_model.hpp"
#include "loose_elements.hpp"
#include "reports/plan_text.hpp"
#include "ruleset/ahead.hpp"
#include "ruleset/inventory.hpp"
#include "ruleset/layout.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <random>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

namespace statnat {
namespace {

using Lines = std::vector<std::string>;

Pair make_pair(const std::string& internal, const std::string& external, const std::string& comment = "",
               bool npt = false) {
    return {*Prefix::parse(internal), *Prefix::parse(external), npt, comment};
}

Configuration make_configuration(const std::vector<Pair>& pairs) {
    Configuration configuration;
    configuration.pairs = Pairs(pairs);
    return configuration;
}

const Pair two = make_pair("10.0.0.2", "198.51.100.2");
const Pair three = make_pair("10.0.0.3", "198.51.100.3", "mail");
const Pair seven = make_pair("10.0.0.7", "198.51.100.7");
const Pair six = make_pair("fd00:1::2", "2001:db8:1::2");

Ruleset make_ruleset(Engine engine = Engine::expression) {
    return layout(make_configuration({two, three}), engine);
}

template <class Named>
const Named* find(const std::vector<Named>& all, const std::string& name) {
    const auto found = std::find_if(all.begin(), all.end(), [&](const Named& one) { return one.name == name; });
    return found == all.end() ? nullptr : &*found;
}

Map& map(Ruleset& ruleset, const std::string& name) {
    return const_cast<Map&>(*find(ruleset.front().maps, name));
}

Chain& chain(Ruleset& ruleset, const std::string& name) {
    return const_cast<Chain&>(*find(ruleset.front().chains, name));
}

// ---- steps as text -------------------------------------------------------------------------------------------------

std::string print(const Traffic& traffic) {
    return traffic == Traffic{} ? "" : " " + std::to_string(traffic.packets) + "/" + std::to_string(traffic.bytes);
}

std::string print(const Map& map) {
    std::string line = map.name;
    for (const Element& element : map.elements) {
        line += " {" + element.key.text() + (map.values ? " : " + element.value.text() : "") +
                (element.comment.empty() ? "" : " # " + element.comment.text()) + print(element.traffic) + "}";
    }
    return line;
}

std::string print(const std::vector<Rule>& rules) {
    std::string line;
    for (const Rule& rule : rules) {
        line += "; " + text(rule, Family::ipv4) + print(rule.traffic);
    }
    return line.empty() ? line : line.substr(1);
}

struct Printer {
    std::string operator()(const AddTable&) const { return "add table"; }
    std::string operator()(const DeleteTable&) const { return "delete table"; }
    std::string operator()(const AddMap& step) const {
        return "add map " + step.map.name + " " + std::to_string(step.map.capacity);
    }
    std::string operator()(const DeleteMap& step) const { return "delete map " + step.map.name; }
    std::string operator()(const AddElements& step) const { return "add elements " + print(step.map); }
    std::string operator()(const DeleteElements& step) const { return "delete elements " + print(step.map); }
    std::string operator()(const AddPrefixSet& step) const { return "add set " + step.set.name; }
    std::string operator()(const AddStandingMap& step) const { return "add map " + step.map.name; }
    std::string operator()(const DeleteSet& step) const { return "delete set " + step.name; }
    std::string operator()(const AddChain& step) const { return "add chain " + step.chain.name; }
    std::string operator()(const FlushChain& step) const { return "flush chain " + step.name; }
    std::string operator()(const AddRules& step) const { return "add rules " + step.chain + ":" + print(step.rules); }
    std::string operator()(const DeleteChain& step) const { return "delete chain " + step.name; }
};

Lines print(const Plan& plan) {
    Lines lines;
    for (const Step& step : plan) {
        lines.push_back(std::visit(Printer{}, step));
    }
    return lines;
}

// ---- exact steps ---------------------------------------------------------------------------------------------------

TEST(PlanTest, OfTheSameIsEmpty) {
    EXPECT_TRUE(plan({}, {}).empty());
    EXPECT_TRUE(plan(make_ruleset(), make_ruleset()).empty());
    EXPECT_TRUE(plan(make_ruleset(Engine::native), make_ruleset(Engine::native)).empty());
}

TEST(PlanTest, MakesATable) {
    EXPECT_EQ(print(plan(layout(make_configuration({two}), Engine::native), {})), (Lines{
        "add table",
        "add map int2ext 3072",
        "add elements int2ext {10.0.0.2 : 198.51.100.2}",
        "add map ext2int 3072",
        "add elements ext2int {198.51.100.2 : 10.0.0.2}",
        "add map internal 3072",
        "add elements internal {10.0.0.2}",
        "add chain prerouting",
        "add chain postrouting",
        "add chain output",
    }));
}

TEST(PlanTest, DeletesATableAsAWhole) {
    EXPECT_EQ(print(plan({}, make_ruleset())), Lines{"delete table"});
}

TEST(PlanTest, TouchesOnlyThePairsThatDiffer) {
    Ruleset actual = layout(make_configuration({two, three, seven}), Engine::expression);
    map(actual, "int2ext").elements.set_traffic(0, {7, 700});
    const Ruleset desired =
        layout(make_configuration({two, make_pair("10.0.0.4", "198.51.100.4"), seven}), Engine::expression);
    EXPECT_EQ(print(plan(desired, actual)), (Lines{
        "delete elements int2ext {10.0.0.3 : 198.51.100.3 # mail}",
        "delete elements ext2int {198.51.100.3 : 10.0.0.3}",
        "add elements int2ext {10.0.0.4 : 198.51.100.4}",
        "add elements ext2int {198.51.100.4 : 10.0.0.4}",
    }));
}

TEST(PlanTest, StartsAPairWithAnotherExternalAtZero) {
    Ruleset actual = layout(make_configuration({two, three, seven}), Engine::expression);
    map(actual, "int2ext").elements.set_traffic(0, {7, 700});
    map(actual, "ext2int").elements.set_traffic(0, {8, 800});
    const Ruleset desired =
        layout(make_configuration({make_pair("10.0.0.2", "198.51.100.4"), three, seven}), Engine::expression);
    EXPECT_EQ(print(plan(desired, actual)), (Lines{
        "delete elements int2ext {10.0.0.2 : 198.51.100.2 7/700}",
        "delete elements ext2int {198.51.100.2 : 10.0.0.2 8/800}",
        "add elements int2ext {10.0.0.2 : 198.51.100.4}",
        "add elements ext2int {198.51.100.4 : 10.0.0.2}",
    }));
}

// Their counters go on.
TEST(PlanTest, RewritesRulesWhosePairsAreElsewhere) {
    Configuration configuration = make_configuration({two, three});
    configuration.counters = Counters::rule;
    Ruleset actual = layout(configuration, Engine::expression);
    chain(actual, "postrouting").rules[0].traffic = {7, 700};
    configuration.pairs = {two, seven};
    EXPECT_EQ(print(plan(layout(configuration, Engine::expression), actual)), (Lines{
        "flush chain prerouting",
        "flush chain postrouting",
        "flush chain output",
        "delete elements int2ext {10.0.0.3 : 198.51.100.3 # mail}",
        "delete elements ext2int {198.51.100.3 : 10.0.0.3}",
        "add elements int2ext {10.0.0.7 : 198.51.100.7}",
        "add elements ext2int {198.51.100.7 : 10.0.0.7}",
        "add rules prerouting: snat_stateless daddr map @ext2int within 198.51.100.0/29 notrack counter;"
        " snat_stateless saddr map @int2ext within 10.0.0.0/29 untrack",
        "add rules postrouting: snat_stateless saddr map @int2ext within 10.0.0.0/29 untracked counter 7/700",
        "add rules output: icmp type 5 snat_stateless saddr map @int2ext within 10.0.0.0/29 untrack;"
        " icmp type 3-5 snat_stateless daddr map @ext2int within 198.51.100.0/29 notrack;"
        " icmp type 11-12 snat_stateless daddr map @ext2int within 198.51.100.0/29 notrack;"
        " snat_stateless saddr map @int2ext within 10.0.0.0/29 untrack",
    }));
}

TEST(PlanTest, CarriesTheTrafficOfAPairWithAnotherComment) {
    Ruleset actual = make_ruleset();
    map(actual, "int2ext").elements.set_traffic(1, {7, 700});
    const Ruleset desired =
        layout(make_configuration({two, make_pair("10.0.0.3", "198.51.100.3", "web")}), Engine::expression);
    EXPECT_EQ(print(plan(desired, actual)), (Lines{
        "delete elements int2ext {10.0.0.3 : 198.51.100.3 # mail 7/700}",
        "add elements int2ext {10.0.0.3 : 198.51.100.3 # web 7/700}",
    }));
}

TEST(PlanTest, GrowsAMapByReplacingIt) {
    Ruleset actual = make_ruleset();
    map(actual, "ext2int").capacity = 2;
    map(actual, "ext2int").elements.set_traffic(1, {7, 700});
    chain(actual, "output").rules[3].traffic = {9, 900};
    EXPECT_EQ(print(plan(make_ruleset(), actual)), (Lines{
        "flush chain prerouting",
        "flush chain output",
        "delete map ext2int",
        "add map ext2int 3072",
        "add elements ext2int {198.51.100.2 : 10.0.0.2} {198.51.100.3 : 10.0.0.3 7/700}",
        "add rules prerouting: snat_stateless daddr map @ext2int within 198.51.100.2/31 notrack"
        " else saddr map @int2ext within 10.0.0.2/31 untrack",
        "add rules output: icmp type 5 snat_stateless saddr map @int2ext within 10.0.0.2/31 untrack;"
        " icmp type 3-5 snat_stateless daddr map @ext2int within 198.51.100.2/31 notrack;"
        " icmp type 11-12 snat_stateless daddr map @ext2int within 198.51.100.2/31 notrack;"
        " snat_stateless saddr map @int2ext within 10.0.0.2/31 untrack 9/900",
    }));
}

TEST(PlanTest, ReplacesMapsThatItCannotKeep) {
    const std::vector<std::function<void(Map&)>> damages = {
        [](Map& map) { map.capacity = 0; },
        [](Map& map) { map.capacity = 3071; },
        [](Map& map) { map.counters = !map.counters; },
        [](Map& map) { map.values = false; },
        [](Map& map) { map.foreign = true; },
    };
    for (const auto& damage : damages) {
        Ruleset actual = make_ruleset();
        damage(map(actual, "int2ext"));
        const Plan steps = plan(make_ruleset(), actual);
        ASSERT_GE(steps.size(), 4U);
        EXPECT_EQ(print(steps)[3], "delete map int2ext");
    }
}

TEST(PlanTest, KeepsAMapWithMoreRoomThanNeeded) {
    Ruleset actual = make_ruleset();
    map(actual, "int2ext").capacity = 6144;
    EXPECT_TRUE(plan(make_ruleset(), actual).empty());
    remove_last(actual.front().maps[0].elements);
    const Plan steps = plan(make_ruleset(), actual);
    ASSERT_EQ(print(steps), Lines{"add elements int2ext {10.0.0.3 : 198.51.100.3 # mail}"});
    EXPECT_EQ(std::get<AddElements>(steps[0]).map.capacity, 6144U);
}

TEST(PlanTest, ReplacesChainsOfAnotherKind) {
    const std::vector<std::function<void(Chain&)>> damages = {
        [](Chain& chain) { chain.hook = Hook::input; },
        [](Chain& chain) { chain.hook.reset(); },
        [](Chain& chain) { chain.type = ChainType::other; },
        [](Chain& chain) { chain.priority = 0; },
        [](Chain& chain) { chain.comment = ""; },
    };
    for (const auto& damage : damages) {
        Ruleset actual = make_ruleset();
        chain(actual, "postrouting").rules[0].traffic = {7, 700};
        damage(chain(actual, "postrouting"));
        const Plan steps = plan(make_ruleset(), actual);
        ASSERT_EQ(print(steps),
                  (Lines{"flush chain postrouting", "delete chain postrouting", "add chain postrouting"}));
        EXPECT_EQ(print(std::get<AddChain>(steps[2]).chain.rules),
                  " snat_stateless saddr map @int2ext within 10.0.0.2/31 untracked 7/700");
    }
}

TEST(PlanTest, RepairsRules) {
    const std::vector<std::function<void(std::vector<Rule>&)>> damages = {
        [](std::vector<Rule>& rules) { rules.clear(); },
        [](std::vector<Rule>& rules) { rules.push_back(rules[0]); },
        [](std::vector<Rule>& rules) { rules[0].statements.push_back(Counter{}); },
        [](std::vector<Rule>& rules) { rules.insert(rules.begin(), Rule{{Foreign{"accept"}}, {}, 0}); },
    };
    for (const auto& damage : damages) {
        Ruleset actual = make_ruleset();
        damage(chain(actual, "postrouting").rules);
        EXPECT_EQ(print(plan(make_ruleset(), actual)),
                  (Lines{"flush chain postrouting",
                         "add rules postrouting: snat_stateless saddr map @int2ext within 10.0.0.2/31 untracked"}));
    }
}

TEST(PlanTest, DoesNotCompareTraffic) {
    Ruleset actual = make_ruleset();
    map(actual, "int2ext").elements.set_traffic(0, {7, 700});
    chain(actual, "prerouting").rules[0].traffic = {8, 800};
    chain(actual, "prerouting").rules[0].dropped = 9;
    EXPECT_TRUE(plan(make_ruleset(), actual).empty());
}

TEST(PlanTest, ReplacesThePrefixSetAndTheRulesThatReadIt) {
    Configuration configuration = make_configuration({two});
    const auto exempt_but = [&](int number) {
        configuration.exempt_destinations.clear();
        for (int i = 0; i < 10; ++i) {
            if (i != number) {
                configuration.exempt_destinations.push_back(*Prefix::parse("10." + std::to_string(2 * i) + ".0.0/16"));
            }
        }
        return layout(configuration, Engine::expression);
    };
    const Ruleset actual = exempt_but(3);
    const Ruleset desired = exempt_but(4);
    const Lines steps = print(plan(desired, actual));
    ASSERT_EQ(steps.size(), 6U);
    EXPECT_EQ(Lines(steps.begin(), steps.begin() + 4),
              (Lines{"flush chain prerouting", "flush chain output", "delete set exempt", "add set exempt"}));
    EXPECT_TRUE(steps[4].starts_with("add rules prerouting"));
    EXPECT_TRUE(steps[5].starts_with("add rules output"));
}

TEST(PlanTest, WritesRulesThatCompareOtherPrefixes) {
    Configuration configuration = make_configuration({two});
    configuration.exempt_destinations = {*Prefix::parse("10.0.0.0/8")};
    const Ruleset actual = layout(configuration, Engine::expression);
    EXPECT_TRUE(plan(actual, actual).empty());
    configuration.exempt_destinations = {*Prefix::parse("10.0.0.0/9")};
    const Lines steps = print(plan(layout(configuration, Engine::expression), actual));
    ASSERT_EQ(steps.size(), 4U);
    EXPECT_EQ(Lines(steps.begin(), steps.begin() + 2), (Lines{"flush chain prerouting", "flush chain output"}));
    EXPECT_TRUE(steps[2].starts_with("add rules prerouting"));
    EXPECT_TRUE(steps[3].starts_with("add rules output"));
}

TEST(PlanTest, ChangesTheEngineAndKeepsTheMaps) {
    EXPECT_EQ(print(plan(make_ruleset(Engine::native), make_ruleset(Engine::expression))), (Lines{
        "flush chain prerouting",
        "flush chain postrouting",
        "flush chain output",
        "delete chain output",
        "delete chain postrouting",
        "delete chain prerouting",
        "add map internal 3072",
        "add elements internal {10.0.0.2} {10.0.0.3}",
        "add chain prerouting",
        "add chain postrouting",
        "add chain output",
    }));
    const Lines back = print(plan(make_ruleset(Engine::expression), make_ruleset(Engine::native)));
    ASSERT_EQ(back.size(), 10U);
    EXPECT_EQ(back[3], "delete map internal");
}

TEST(PlanTest, ReplacesADormantTable) {
    Ruleset actual = make_ruleset();
    actual.front().dormant = true;
    const Lines steps = print(plan(make_ruleset(), actual));
    ASSERT_EQ(steps.size(), 9U);
    EXPECT_EQ(steps[0], "delete table");
    EXPECT_EQ(steps[1], "add table");
    EXPECT_EQ(print(plan({}, actual)), Lines{"delete table"});
}

TEST(PlanTest, TreatsFamiliesApart) {
    Table other;
    other.family = Family::ipv6;
    other.chains = {{"input", Hook::input, ChainType::filter, 0, "", {}}};
    const Ruleset ipv4 = make_ruleset();
    const Plan steps = plan(ipv4, {ipv4.front(), other});
    ASSERT_EQ(print(steps), Lines{"delete table"});
    EXPECT_EQ(std::get<DeleteTable>(steps[0]).family, Family::ipv6);
    EXPECT_EQ(print(plan({ipv4.front(), other}, ipv4)), (Lines{"add table", "add chain input"}));
}

// The host is inside the prefix, and the hole that it leaves behind is where npt would have taken it.
TEST(PlanTest, SwapsAPrefixAndTouchesNothingElse) {
    const Pair host = make_pair("fd00:1::2", "2001:db8:9::2");
    const Pair other = make_pair("fd00:2::/48", "2001:db8:12::/48", "", true);
    const auto with = [&](const std::string& external) {
        return layout(make_configuration({make_pair("fd00:1::/48", external, "", true), host, other}),
                      Engine::expression);
    };
    Ruleset actual = with("2001:db8:1::/48");
    for (Map& one : actual.front().maps) {
        change_each(one.elements, [&](Element& element) { element.traffic = {7, 700}; });
    }
    EXPECT_EQ(print(plan(with("2001:db8:2::/48"), actual)), (Lines{
        "delete elements ext2int {2001:db8:1:cf47::2 : 2001:db8:1:cf47::2 7/700}",
        "delete elements int2ext_48_npt {fd00:1:: : 2001:db8:1:: 7/700}",
        "delete elements ext2int_48_npt {2001:db8:1:: : fd00:1:: 7/700}",
        "add elements ext2int {2001:db8:2:cf46::2 : 2001:db8:2:cf46::2}",
        "add elements int2ext_48_npt {fd00:1:: : 2001:db8:2::}",
        "add elements ext2int_48_npt {2001:db8:2:: : fd00:1::}",
    }));
}

TEST(PlanTest, PutsBothFamiliesIntoOneTransaction) {
    const Plan steps = plan(layout(make_configuration({two, six}), Engine::expression), {});
    EXPECT_EQ(print(steps), (Lines{
        "add table",
        "add map int2ext 3072",
        "add elements int2ext {10.0.0.2 : 198.51.100.2}",
        "add map ext2int 3072",
        "add elements ext2int {198.51.100.2 : 10.0.0.2}",
        "add chain prerouting",
        "add chain postrouting",
        "add chain output",
        "add table",
        "add map int2ext 3072",
        "add elements int2ext {fd00:1::2 : 2001:db8:1::2}",
        "add map ext2int 3072",
        "add elements ext2int {2001:db8:1::2 : fd00:1::2}",
        "add chain prerouting",
        "add chain postrouting",
        "add chain output",
    }));
    for (std::size_t i = 0; i < steps.size(); ++i) {
        const Family family = std::visit([](const auto& step) { return step.family; }, steps[i]);
        EXPECT_EQ(family, i < 8 ? Family::ipv4 : Family::ipv6);
    }
}

TEST(PlanTest, DeletesTheTableOfAFamilyWithoutPairs) {
    const Ruleset both = layout(make_configuration({two, three, six}), Engine::expression);
    const Plan steps = plan(make_ruleset(), both);
    ASSERT_EQ(print(steps), Lines{"delete table"});
    EXPECT_EQ(std::get<DeleteTable>(steps[0]).family, Family::ipv6);
    EXPECT_EQ(print(plan({}, both)), (Lines{"delete table", "delete table"}));
}

TEST(PlanTest, FindsTheNeedlesInAHundredThousandPairs) {
    std::vector<Pair> pairs;
    for (std::uint32_t i = 0; i < 100'000; ++i) {
        const auto byte = [&](unsigned shift) { return static_cast<std::uint8_t>(i >> shift); };
        pairs.push_back({Prefix::host({Family::ipv4, {10, byte(16), byte(8), byte(0)}}),
                                       Prefix::host({Family::ipv4, {20, byte(16), byte(8), byte(0)}})});
    }
    const Ruleset actual = layout(make_configuration(pairs), Engine::expression);
    pairs.erase(pairs.begin() + 50'000);
    pairs.back().comment = "last";
    EXPECT_EQ(print(plan(layout(make_configuration(pairs), Engine::expression), actual)), (Lines{
        "delete elements int2ext {10.0.195.80 : 20.0.195.80} {10.1.134.159 : 20.1.134.159}",
        "delete elements ext2int {20.0.195.80 : 10.0.195.80}",
        "add elements int2ext {10.1.134.159 : 20.1.134.159 # last}",
    }));
}

// ---- in words ------------------------------------------------------------------------------------------------------

// ---- what would be lost --------------------------------------------------------------------------------------------

struct LossCase {
    const char* why;
    std::vector<Pair> before;
    std::vector<Pair> after;
    std::size_t lost;
    bool is_suspicious;
};

std::vector<Pair> hosts(unsigned first, unsigned last, const std::string& outside = "198.51.100.") {
    std::vector<Pair> pairs;
    for (unsigned host = first; host <= last; ++host) {
        pairs.push_back(statnat::make_pair("10.0.0." + std::to_string(host), outside + std::to_string(host)));
    }
    return pairs;
}

TEST(LossTest, CountsInternalAddressesWithoutAPair) {
    const Pair network = make_pair("10.0.0.0/24", "203.0.113.0/24");
    const std::vector<Pair> mixed{two, six};
    const std::vector<LossCase> cases{
        {"nothing before", {}, hosts(1, 20), 0, false},
        {"nothing at all", {}, {}, 0, false},
        {"the same", hosts(1, 20), hosts(1, 20), 0, false},
        {"all", hosts(1, 20), {}, 20, true},
        {"the only one", {two}, {}, 1, true},
        {"one of two families", mixed, {two}, 1, false},
        {"both families", mixed, {}, 2, true},
        {"half of ten", hosts(1, 10), hosts(1, 5), 5, false},
        {"more than half of ten", hosts(1, 10), hosts(1, 4), 6, true},
        {"most of nine", hosts(1, 9), hosts(1, 1), 8, false},
        {"other externals", hosts(1, 20), hosts(1, 20, "192.0.2."), 0, false},
        {"other internals", hosts(1, 20), hosts(101, 120), 0, false},
        {"others, but few", hosts(1, 20), hosts(101, 103), 17, true},
        {"a network in the place of its hosts", hosts(1, 20), {network}, 0, false},
        {"hosts in the place of their network", {network}, hosts(1, 20), 0, false},
        {"another length of the prefix, as npt extends it", {make_pair("fd00:1::/48", "2001:db8:1::/48", "", true)},
         {make_pair("fd00:1::/56", "2001:db8:2::/56", "", true)}, 0, false},
    };
    for (const auto& [why, before, after, lost, is_suspicious] : cases) {
        SCOPED_TRACE(why);
        const Ruleset actual = layout(make_configuration(before), Engine::expression);
        const Ruleset desired = layout(make_configuration(after), Engine::expression);
        const Loss found = loss(plan(desired, actual), desired, actual);
        EXPECT_EQ(found.lost, lost);
        EXPECT_EQ(found.of, before.size());
        EXPECT_EQ(found.is_suspicious(), is_suspicious);
    }
}

TEST(LossTest, KnowsNeitherHolesNorWhatIsBrokenAlready) {
    const Pair wide = make_pair("10.1.0.0/24", "203.0.113.0/24");
    Ruleset actual = layout(make_configuration({wide, make_pair("10.1.0.5", "198.51.100.5")}), Engine::expression);
    EXPECT_EQ(loss(plan({}, actual), {}, actual).of, 2U);
    for (Map& map : actual.front().maps) {
        map.foreign = map.name.starts_with("ext2int");
        map.elements = map.foreign ? Elements{} : map.elements;
    }
    EXPECT_EQ(loss(plan({}, actual), {}, actual).of, 2U);
    actual.front().dormant = true;
    EXPECT_TRUE(loss(plan({}, actual), {}, actual).is_suspicious());
    for (Map& map : actual.front().maps) {
        map.elements = {};
    }
    EXPECT_FALSE(loss(plan({}, actual), {}, actual).is_suspicious());
}

TEST(DescribeTest, TellsPairs) {
    const Ruleset desired = layout(make_configuration({make_pair("10.0.0.1", "198.51.100.1", "web"),
                                                       make_pair("10.0.0.3", "198.51.100.3", "post")}),
                                   Engine::expression);
    EXPECT_EQ(describe(plan(desired, make_ruleset()), "statnat"), (Lines{
        "+ 10.0.0.1 198.51.100.1 # web",
        "- 10.0.0.2 198.51.100.2",
        "- 10.0.0.3 198.51.100.3 # mail",
        "+ 10.0.0.3 198.51.100.3 # post",
        "~ chain ip statnat output: rules",
        "~ chain ip statnat postrouting: rules",
        "~ chain ip statnat prerouting: rules",
    }));
}

TEST(DescribeTest, TellsFurtherExternalsOneByOne) {
    const auto with = [](std::initializer_list<const char*> further) {
        std::vector<Pair> pairs{make_pair("10.0.0.2", "198.51.100.2"), make_pair("10.0.0.3", "198.51.100.3")};
        for (const char* external : further) {
            pairs.push_back({*Prefix::parse("10.0.0.2"), *Prefix::parse(external), false, "", true});
        }
        return layout(make_configuration(pairs), Engine::native);
    };
    const Plan changes = plan(with({"198.51.100.7", "198.51.100.8"}), with({"198.51.100.8", "198.51.100.9"}));
    EXPECT_EQ(describe(changes, "statnat"),
              (Lines{"+ 10.0.0.2 198.51.100.7 inbound", "- 10.0.0.2 198.51.100.9 inbound"}));
    EXPECT_EQ(count_pairs(changes).added, 1U);
    EXPECT_EQ(count_pairs(changes).removed, 1U);
    EXPECT_FALSE(loss(plan(with({}), with({"198.51.100.7", "198.51.100.8"})), with({}), with({"198.51.100.7"}))
                     .is_suspicious());
    EXPECT_TRUE(plan(with({"198.51.100.7"}), with({"198.51.100.7"})).empty());
}

TEST(DescribeTest, TellsPrefixesAndNoHoles) {
    const Pair wide = make_pair("10.1.0.0/24", "203.0.113.0/24", "lab");
    const Ruleset before = layout(make_configuration({wide}), Engine::expression);
    const Ruleset after = layout(make_configuration({wide, make_pair("10.1.0.5", "198.51.100.5")}), Engine::expression);
    EXPECT_EQ(describe(plan(after, before), "statnat"), (Lines{
        "+ 10.1.0.5 198.51.100.5",
        "~ chain ip statnat output: rules",
        "~ chain ip statnat postrouting: rules",
        "~ chain ip statnat prerouting: rules",
        "+ map ip statnat ext2int",
        "+ map ip statnat int2ext",
    }));
    Ruleset filled = after;
    remove_last(map(filled, "ext2int").elements);  // the hole, 203.0.113.5
    EXPECT_EQ(describe(plan(after, filled), "statnat"), Lines{"~ map ip statnat ext2int: elements"});
}

TEST(DescribeTest, TellsWhatIsExcluded) {
    const auto without = [](std::initializer_list<const char*> excluded) {
        Configuration configuration = make_configuration({make_pair("10.1.0.0/24", "203.0.113.0/24"),
                                                          make_pair("10.1.0.5", "198.51.100.5")});
        for (const char* prefix : excluded) {
            configuration.pairs.exclude(*Prefix::parse(prefix));
        }
        return layout(configuration, Engine::expression);
    };
    const Plan changes = plan(without({"10.1.0.1", "10.1.0.2"}), without({"10.1.0.1", "10.1.0.9"}));
    EXPECT_EQ(describe(changes, "statnat"), (Lines{"- exclude 10.1.0.9", "+ exclude 10.1.0.2",
                                                   "~ chain ip statnat output: rules",
                                                   "~ chain ip statnat postrouting: rules",
                                                   "~ chain ip statnat prerouting: rules"}));
    EXPECT_EQ(count_pairs(changes).excluded, 2U);
    EXPECT_EQ(count_pairs(changes).added + count_pairs(changes).removed + count_pairs(changes).changed, 0U);
    EXPECT_EQ(describe(plan(without({"10.1.0.16/28"}), without({})), "statnat"),
              (Lines{"+ exclude 10.1.0.16/28", "~ chain ip statnat output: rules",
                     "~ chain ip statnat postrouting: rules", "~ chain ip statnat prerouting: rules",
                     "+ map ip statnat ext2int_28", "+ map ip statnat int2ext_28"}));
}

TEST(DescribeTest, TellsHolesWhereNoneCanBe) {
    const Ruleset desired = make_ruleset(Engine::native);
    const auto with_hole = [&](const std::string& name, const std::string& address) {
        Ruleset actual = desired;
        map(actual, name).elements.push_back(*Address::parse(address), *Address::parse(address));
        map(actual, name).elements.sort();
        return actual;
    };
    EXPECT_EQ(describe(plan(desired, with_hole("int2ext", "10.0.0.8")), "statnat"), Lines{"- exclude 10.0.0.8"});
    EXPECT_EQ(describe(plan(with_hole("int2ext", "10.0.0.8"), desired), "statnat"), Lines{"+ exclude 10.0.0.8"});
    EXPECT_EQ(describe(plan(desired, with_hole("ext2int", "198.51.100.77")), "statnat"),
              Lines{"~ map ip statnat ext2int: elements"});
    EXPECT_EQ(describe(plan(desired, with_hole("internal", "10.0.0.8")), "statnat"),
              Lines{"~ set ip statnat internal: elements"});
}

TEST(DescribeTest, TellsPairsOfATableThatComesOrGoes) {
    EXPECT_EQ(describe(plan(layout(make_configuration({two}), Engine::expression), {}), "statnat"), (Lines{
        "+ 10.0.0.2 198.51.100.2",
        "+ chain ip statnat output",
        "+ chain ip statnat postrouting",
        "+ chain ip statnat prerouting",
        "+ map ip statnat ext2int",
        "+ map ip statnat int2ext",
        "+ table ip statnat",
    }));
    EXPECT_EQ(describe(plan({}, make_ruleset()), "statnat"), (Lines{
        "- 10.0.0.2 198.51.100.2",
        "- 10.0.0.3 198.51.100.3 # mail",
        "- table ip statnat",
    }));
}

TEST(DescribeTest, TellsBothFamiliesIPv4First) {
    EXPECT_EQ(describe(plan(layout(make_configuration({three, six}), Engine::expression), make_ruleset()), "statnat"),
              (Lines{
        "- 10.0.0.2 198.51.100.2",
        "+ fd00:1::2 2001:db8:1::2",
        "~ chain ip statnat output: rules",
        "~ chain ip statnat postrouting: rules",
        "~ chain ip statnat prerouting: rules",
        "+ chain ip6 statnat output",
        "+ chain ip6 statnat postrouting",
        "+ chain ip6 statnat prerouting",
        "+ map ip6 statnat ext2int",
        "+ map ip6 statnat int2ext",
        "+ table ip6 statnat",
    }));
}

TEST(DescribeTest, TellsARepairInTheFamilyWhosePairsStay) {
    Ruleset actual = layout(make_configuration({two, six}), Engine::expression);
    for (Table& table : actual) {
        table.maps.at(1).elements = {};
    }
    EXPECT_EQ(describe(plan(layout(make_configuration({two, three, six}), Engine::expression), actual), "statnat"),
              (Lines{
        "+ 10.0.0.3 198.51.100.3 # mail",
        "~ chain ip statnat output: rules",
        "~ chain ip statnat postrouting: rules",
        "~ chain ip statnat prerouting: rules",
        "~ map ip6 statnat ext2int: elements",
    }));
}

TEST(DescribeTest, LeavesOutPairsThatAReplacedMapKeeps) {
    Ruleset actual = make_ruleset();
    map(actual, "int2ext").capacity = 2;
    remove_last(map(actual, "int2ext").elements);
    EXPECT_EQ(describe(plan(make_ruleset(), actual), "statnat"), (Lines{
        "+ 10.0.0.3 198.51.100.3 # mail",
        "~ chain ip statnat output: rules",
        "~ chain ip statnat postrouting: rules",
        "~ chain ip statnat prerouting: rules",
        "~ map ip statnat int2ext: replaced",
    }));
}

TEST(DescribeTest, TellsEveryKindOfRepair) {
    Configuration configuration = make_configuration({two});
    configuration.exempt_destinations = {*Prefix::parse("0.0.0.0/0")};
    const Ruleset desired = layout(configuration, Engine::expression);

    Ruleset actual = desired;
    change(map(actual, "ext2int").elements,
           [](std::vector<Element>& elements) { elements.at(0).value = *Address::parse("10.0.0.9"); });
    EXPECT_EQ(describe(plan(desired, actual), "statnat"), Lines{"~ map ip statnat ext2int: elements"});

    actual = desired;
    chain(actual, "output").priority = 0;
    actual.front().chains.push_back({"extra", std::nullopt, ChainType::filter, 0, "", {}});
    actual.front().prefix_sets.push_back({"others", false, {}});
    EXPECT_EQ(describe(plan(desired, actual), "statnat"),
              (Lines{"- chain ip statnat extra", "~ chain ip statnat output: replaced", "- set ip statnat others"}));

    actual = desired;
    actual.front().prefix_sets[0].prefixes.pop_back();
    EXPECT_EQ(describe(plan(desired, actual), "statnat"),
              (Lines{"~ chain ip statnat output: rules", "~ chain ip statnat prerouting: rules",
                     "~ set ip statnat exempt: 0.0.0.0/0"}));

    actual = layout(make_configuration({two}), Engine::expression);
    EXPECT_EQ(describe(plan(desired, actual), "statnat"),
              (Lines{"~ chain ip statnat output: rules", "~ chain ip statnat prerouting: rules",
                     "+ set ip statnat exempt: 0.0.0.0/0"}));

    actual = desired;
    actual.front().dormant = true;
    EXPECT_EQ(describe(plan(desired, actual), "statnat").back(), "~ table ip statnat: replaced");
}

// ---- any ruleset at all --------------------------------------------------------------------------------------------

class Random {
public:
    explicit Random(unsigned seed) : engine_(seed) {}

    std::size_t below(std::size_t limit) { return std::uniform_int_distribution<std::size_t>(0, limit - 1)(engine_); }
    bool one_in(std::size_t n) { return below(n) == 0; }

    template <class Value>
    Value& any_of(std::vector<Value>& values) {
        return values[below(values.size())];
    }

    template <class Value>
    void shuffle(std::vector<Value>& values) {
        std::shuffle(values.begin(), values.end(), engine_);
    }

private:
    std::mt19937 engine_;
};

std::vector<Pair> random_pairs(Random& random, const std::string& internal, const std::string& external) {
    std::vector<unsigned> hosts = {1, 2, 3, 4, 5, 6, 7, 8};
    std::vector<unsigned> others = hosts;
    random.shuffle(hosts);
    if (random.one_in(2)) {
        random.shuffle(others);
    } else {
        others = hosts;
    }
    std::vector<Pair> pairs;
    const std::size_t count = random.below(hosts.size() + 1);
    for (std::size_t i = 0; i < count; ++i) {
        pairs.push_back(make_pair(internal + std::to_string(hosts[i]), external + std::to_string(others[i]),
                                  random.one_in(3) ? "mail" : ""));
    }
    return pairs;
}

Ruleset random_layout(Random& random) {
    std::vector<Pair> pairs = random_pairs(random, "10.0.0.", "198.51.100.");
    for (const auto& [internal, external] :
         {std::pair{"10.0.0.0/24", "203.0.113.0/24"}, {"10.0.0.0/28", "192.0.2.0/28"}, {"10.7.0.0/24", "192.0.7.0/24"},
          {"10.7.0.0/24", "192.0.8.0/24"}}) {
        const bool again = !pairs.empty() && pairs.back().internal == *Prefix::parse(internal);
        if (!again && random.one_in(4)) {
            pairs.push_back(make_pair(internal, external));
        }
    }
    if (random.one_in(2)) {
        const std::vector<Pair> ipv6 = random_pairs(random, "fd00:1::", "2001:db8:1::");
        pairs.insert(pairs.end(), ipv6.begin(), ipv6.end());
    }
    Configuration configuration = make_configuration(pairs);
    for (const char* text : {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fd00::/8", "2001:db8::/32"}) {
        if (random.one_in(4)) {
            configuration.exempt_destinations.push_back(*Prefix::parse(text));
        }
    }
    const std::vector<Counters> countings = {Counters::pair, Counters::pair, Counters::rule, Counters::off};
    configuration.counters = countings[random.below(countings.size())];
    Ruleset ruleset = layout(configuration, random.one_in(2) ? Engine::expression : Engine::native);
    for (Table& table : ruleset) {
        const bool tight = random.one_in(2);
        for (Map& map : table.maps) {
            // No room to spare, so that additions before deletions would not fit.
            const std::uint32_t least = map.elements.size() <= 8 ? 8 : 16;  // holes come beside pairs
            map.capacity = tight ? least : map.capacity;
        }
    }
    return ruleset;
}

void add_traffic(Random& random, Table& table) {
    const auto traffic = [&] { return Traffic{1 + random.below(1000), 1 + random.below(100'000)}; };
    for (Map& map : table.maps) {
        change_each(map.elements, [&](Element& element) { element.traffic = traffic(); });
    }
    for (Chain& chain : table.chains) {
        for (Rule& rule : chain.rules) {
            rule.traffic = traffic();
        }
    }
}

void damage_elements(Random& random, std::vector<Element>& elements) {
    if (elements.empty()) {
        return;
    }
    switch (random.below(4)) {
    case 0:
        random.any_of(elements).comment = "changed";
        break;
    case 2:
        random.any_of(elements).value = random.any_of(elements).key;  // a hole, perhaps
        break;
    case 1:
        random.any_of(elements).value = *Address::parse("192.0.2.1");
        break;
    default:
        elements.erase(elements.begin() + static_cast<std::ptrdiff_t>(random.below(elements.size())));
    }
}

void damage_map(Random& random, Map& map) {
    switch (random.below(7)) {
    case 0:
        map.capacity = 0;
        break;
    case 1:
        map.capacity = 8;
        break;
    case 2:
        map.counters = !map.counters;
        break;
    case 3:
        map.foreign = true;
        break;
    default:
        change(map.elements, [&](std::vector<Element>& elements) { damage_elements(random, elements); });
    }
}

void damage_chain(Random& random, Table& table, Chain& chain) {
    switch (random.below(6)) {
    case 0:
        chain.priority = 0;
        break;
    case 1:
        chain.comment = "changed";
        break;
    case 2:
        chain.hook.reset();
        break;
    case 3:
        chain.rules.push_back({{Foreign{"@" + random.any_of(table.maps).name}}, {5, 500}, 0});
        break;
    case 4:
        if (!chain.rules.empty()) {
            chain.rules.push_back(random.any_of(chain.rules));
        }
        break;
    default:
        if (!chain.rules.empty()) {
            chain.rules.pop_back();
        }
    }
}

// What somebody else may have done to our table, and never to what rules refer to alone.
void damage(Random& random, Table& table) {
    switch (random.below(10)) {
    case 0:
    case 1:
        damage_map(random, random.any_of(table.maps));
        break;
    case 2:
    case 3:
        damage_chain(random, table, random.any_of(table.chains));
        break;
    case 4:
        if (!find(table.chains, "extra")) {
            random.any_of(table.chains).rules.push_back({{Foreign{"jump extra"}}, {}, 0});
            table.chains.push_back({"extra", std::nullopt, ChainType::filter, 0, "", {{{Notrack{}}, {}, 0}}});
            table.maps.push_back({"verdicts of extra", true, false, 0, true, {}});
        }
        break;
    case 5:
        // Names that seem to tell what they cannot.
        for (const char* name : {"int2ext_200", "int2ext_npt", "ext2int_0"}) {
            if (!find(table.maps, name)) {
                const Address any = *Address::parse(table.family == Family::ipv4 ? "10.0.0.7" : "fd00::7");
                table.maps.push_back({name, true, false, 0, false, {{any, *Address::parse("192.0.2.1")}}});
            }
        }
        break;
    case 6:
        for (const char* name : {"exempt", "internal"}) {
            if (!find(table.maps, name) && !find(table.prefix_sets, name)) {
                table.prefix_sets.push_back({name, false, {*Prefix::parse("10.0.0.0/8")}});
                random.any_of(table.chains).rules.push_back({{Foreign{std::string("@") + name}}, {}, 0});
            }
        }
        break;
    case 7:
        if (!find(table.maps, "exempt") && !find(table.prefix_sets, "exempt")) {
            table.maps.push_back({"exempt", false, false, 0, false, {}});
        }
        break;
    case 8:
        if (!table.prefix_sets.empty()) {
            random.any_of(table.prefix_sets).foreign = true;
        }
        break;
    default:
        random.shuffle(table.chains);
        random.shuffle(table.maps);
    }
}

Ruleset random_actual(Random& random) {
    Ruleset ruleset = random_layout(random);
    for (Table& table : ruleset) {
        add_traffic(random, table);
        for (std::size_t i = random.below(6); i > 0; --i) {
            damage(random, table);
        }
        table.dormant = random.one_in(20);
    }
    return ruleset;
}

void expect_same(const Map& desired, const Map& result) {
    EXPECT_FALSE(result.foreign);
    EXPECT_EQ(result.values, desired.values);
    EXPECT_EQ(result.counters, desired.counters);
    EXPECT_GE(result.capacity, desired.capacity);
    ASSERT_EQ(result.elements.size(), desired.elements.size());
    for (std::size_t i = 0; i < desired.elements.size(); ++i) {
        EXPECT_EQ(result.elements[i].key, desired.elements[i].key);
        EXPECT_EQ(result.elements[i].value, desired.elements[i].value);
        EXPECT_EQ(result.elements[i].comment, desired.elements[i].comment);
    }
}

void expect_same(const PrefixSet& desired, const PrefixSet& result) {
    EXPECT_EQ(result, desired);
}

void expect_same(const Chain& desired, const Chain& result) {
    EXPECT_EQ(result, desired);
}

template <class Named>
void expect_same(const std::vector<Named>& desired, const std::vector<Named>& result) {
    EXPECT_EQ(result.size(), desired.size());
    for (const Named& one : desired) {
        SCOPED_TRACE(one.name);
        const Named* made = find(result, one.name);
        ASSERT_TRUE(made);
        expect_same(one, *made);
    }
}

void expect_same(const Ruleset& desired, const Ruleset& result) {
    ASSERT_EQ(result.size(), desired.size());
    for (std::size_t i = 0; i < desired.size(); ++i) {
        EXPECT_FALSE(result[i].dormant);
        expect_same(desired[i].maps, result[i].maps);
        expect_same(desired[i].prefix_sets, result[i].prefix_sets);
        expect_same(desired[i].chains, result[i].chains);
    }
}

Traffic traffic_before(const Map* before, const Element& element) {
    if (before) {
        for (const Element& old : before->elements) {
            if (old.key == element.key && old.value == element.value) {
                return old.traffic;
            }
        }
    }
    return {};
}

bool counted_before(const Chain* before, const Rule& rule) {
    bool seen = false;
    if (before) {
        for (const Rule& old : before->rules) {
            seen = seen || same_but_bounds(old, rule);
            if (same_but_bounds(old, rule) && old.traffic == rule.traffic) {
                return true;
            }
        }
    }
    return !seen && rule.traffic == Traffic{};
}

void expect_traffic_kept(const Table& before, const Table& result) {
    for (const Map& map : result.maps) {
        for (const Element& element : map.elements) {
            EXPECT_EQ(element.traffic, traffic_before(find(before.maps, map.name), element)) << map.name;
        }
    }
    for (const Chain& chain : result.chains) {
        for (const Rule& rule : chain.rules) {
            EXPECT_TRUE(counted_before(find(before.chains, chain.name), rule))
                << chain.name << ": " << text(rule, before.family);
        }
    }
}

TEST(PlanPropertyTest, TheKernelAcceptsEveryPlanAndHoldsWhatIsDesired) {
    for (unsigned seed = 0; seed < 3'000; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        Random random(seed);
        const Ruleset desired = random_layout(random);
        const Ruleset actual = random_actual(random);
        const Plan steps = plan(desired, actual);
        Ruleset result;
        try {
            result = KernelModel(actual).commit(steps);
        } catch (const std::logic_error& refusal) {
            ADD_FAILURE() << refusal.what();
        }
        expect_same(desired, result);
        for (const Table& before : actual) {
            for (const Table& after : result) {
                if (before.family == after.family && !before.dormant) {
                    expect_traffic_kept(before, after);
                }
            }
        }
        EXPECT_EQ(print(plan(desired, result)), Lines{});
        EXPECT_EQ(describe(steps, "statnat").empty(), steps.empty());
        const Plan repair = plan(layout(inventory(actual).configuration(), Engine::expression), actual);
        EXPECT_EQ(describe(repair, "statnat").empty(), repair.empty());
        if (HasFailure()) {
            break;
        }
    }
}

// ---- what maps are within ------------------------------------------------------------------------------------------

// Each map of the rules within the same.
Ruleset within(Ruleset ruleset, const std::optional<Prefix>& internal, const std::optional<Prefix>& external) {
    for (Chain& chain : ruleset.front().chains) {
        for (Rule& rule : chain.rules) {
            for (Statement& statement : rule.statements) {
                if (auto* ours = std::get_if<SnatStateless>(&statement)) {
                    for (auto* maps : {&ours->maps, &ours->else_maps}) {
                        for (MapReference& map : *maps) {
                            map.within = map.name == int2ext ? internal : external;
                        }
                    }
                }
            }
        }
    }
    return ruleset;
}

const Prefix inside = *Prefix::parse("10.0.0.0/8");
const Prefix outside = *Prefix::parse("198.51.100.0/24");

bool writes_rules(const Plan& plan) {
    return std::any_of(plan.begin(), plan.end(),
                       [](const Step& step) { return std::holds_alternative<AddRules>(step); });
}

TEST(Bounds, MayBeWiderThanTheyMust) {
    const Ruleset desired = make_ruleset();
    EXPECT_TRUE(plan(desired, within(desired, inside, outside)).empty());
    EXPECT_TRUE(plan(desired, within(desired, {}, {})).empty());
    EXPECT_TRUE(writes_rules(plan(desired, within(desired, *Prefix::parse("10.0.0.2"), outside))));
    EXPECT_TRUE(writes_rules(plan(within(desired, {}, outside), within(desired, inside, outside))));
}

TEST(Bounds, AreMadeNarrowWhenElementsChange) {
    const Ruleset actual = within(layout(make_configuration({two, three, seven}), Engine::expression), inside, outside);
    const Ruleset desired = make_ruleset();
    const Plan steps = plan(desired, actual);
    EXPECT_TRUE(writes_rules(steps));
    EXPECT_EQ(KernelModel(actual).commit(steps).front().chains, desired.front().chains);
}

TEST(Bounds, OfAnExcerptCoverWhatItDoesNotShow) {
    const Ruleset excerpt = within(make_ruleset(), inside, outside);
    Ruleset wanted = make_ruleset();
    EXPECT_TRUE(widen(wanted, excerpt));
    EXPECT_EQ(wanted.front().chains, excerpt.front().chains);
    wanted = layout(make_configuration({two, make_pair("11.0.0.1", "198.51.100.1")}), Engine::expression);
    EXPECT_TRUE(widen(wanted, excerpt));
    EXPECT_EQ(wanted.front().chains, within(wanted, *Prefix::parse("10.0.0.0/7"), outside).front().chains);
    const Ruleset anywhere = within(excerpt, {}, {});
    EXPECT_TRUE(widen(wanted, anywhere));
    EXPECT_EQ(wanted.front().chains, within(wanted, {}, {}).front().chains);
}

TEST(ChainsAhead, ComeBesideAllElseAndGoAgain) {
    for (const Engine engine : {Engine::expression, Engine::native}) {
        const Ruleset usual = make_ruleset(engine);
        const Ruleset prepared = with_chains_ahead(usual);
        EXPECT_EQ(prepared.front().chains.size(), 2 * usual.front().chains.size());
        for (const Step& step : plan(prepared, usual)) {
            ASSERT_TRUE(std::holds_alternative<AddChain>(step));
            const Chain& added = std::get<AddChain>(step).chain;
            const std::string behind = added.name.substr(0, added.name.find("_ahead"));
            const Chain& asked_next = *find(usual.front().chains, behind);
            EXPECT_TRUE(is_ahead(added) && !is_ahead(asked_next));
            EXPECT_EQ(std::tie(added.hook, added.type, added.rules),
                      std::tie(asked_next.hook, asked_next.type, asked_next.rules));
            EXPECT_EQ(added.priority, asked_next.priority - 1);
        }
        EXPECT_TRUE(plan(with_chains_ahead(prepared), prepared).empty());
        EXPECT_EQ(KernelModel(prepared).commit(plan(usual, prepared)).front().chains, usual.front().chains);
    }
}

TEST(ChainsAhead, AreNotOfWhatSomebodyElseHasWritten) {
    Ruleset ruleset = make_ruleset();
    chain(ruleset, "postrouting").rules.front().statements.emplace_back(Foreign{"limit"});
    const Ruleset prepared = with_chains_ahead(ruleset);
    EXPECT_NE(find(prepared.front().chains, "prerouting_ahead"), nullptr);
    EXPECT_EQ(find(prepared.front().chains, "postrouting_ahead"), nullptr);
}

TEST(Bounds, AreNotKnownWithoutRules) {
    Ruleset excerpt = make_ruleset();
    for (Chain& each : excerpt.front().chains) {
        each.rules.clear();
    }
    Ruleset wanted = make_ruleset();
    EXPECT_FALSE(widen(wanted, excerpt));
    EXPECT_TRUE(widen(wanted, {}));  // nor are there pairs that cannot be seen
}

}  // namespace
}  // namespace statnat
