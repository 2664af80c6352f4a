// SPDX-License-Identifier: GPL-2.0-or-later
// What a ruleset stands for, and the three forms of telling it.
#include "reports/listing.hpp"
#include "loose_elements.hpp"
#include "error.hpp"
#include "reports/choice.hpp"
#include "ruleset/inventory.hpp"
#include "ruleset/layout.hpp"
#include "ruleset/plan.hpp"

#include <gtest/gtest.h>

namespace statnat {
namespace {

Prefix side(std::string_view text) {
    return Prefix::parse(text).value();
}

const std::vector<CountedPair> counted{
    {{side("10.0.0.2"), side("198.51.100.2"), false, ""}, Traffic{5, 420}, Traffic{12, 1200}},
    {{side("10.0.0.30"), side("198.51.100.3"), false, "a, \"b\"\n\\"}, Traffic{}, Traffic{}},
};
const std::vector<CountedPair> uncounted{{{side("10.0.0.2"), side("198.51.100.2"), false, "mail"}, {}, {}}};

TEST(Listing, AlignsATable) {
    EXPECT_EQ(as_table({counted[0]}),
              "internal  external      packets out  bytes out  packets in  bytes in  comment\n"
              "10.0.0.2  198.51.100.2            5        420          12      1200\n");
    EXPECT_EQ(as_table(uncounted),
              "internal  external      packets out  bytes out  packets in  bytes in  comment\n"
              "10.0.0.2  198.51.100.2            -          -           -         -  mail\n");
}

TEST(Listing, AlignsBothFamiliesInOneTable) {
    const CountedPair ipv6{{side("fd00:1::2"), side("2001:db8:1::2"), false, "mail"}, Traffic{}, Traffic{1, 60}};
    EXPECT_EQ(as_table({counted[0], ipv6}),
              "internal   external       packets out  bytes out  packets in  bytes in  comment\n"
              "10.0.0.2   198.51.100.2             5        420          12      1200\n"
              "fd00:1::2  2001:db8:1::2            0          0           1        60  mail\n");
}

// By its last byte, each pair of these has its name.
std::string names(const ChoiceWords& words) {
    const std::vector<CountedPair> all{
        {{side("10.0.0.2"), side("198.51.100.9"), false, "mail"}, Traffic{5, 400}, Traffic{1, 60}},
        {{side("10.0.0.3"), side("198.51.100.4"), false, "web, mail"}, Traffic{2, 9000}, Traffic{2, 100}},
        {{side("10.1.0.0/24"), side("203.0.113.0/24"), false, "lab"}, Traffic{0, 0}, Traffic{6, 360}},
        {{side("fd00:1::4"), side("2001:db8:1::4"), false, ""}, {}, {}},
    };
    std::string names;
    for (const CountedPair& one : chosen(all, read_choice(words))) {
        names += (names.empty() ? "" : " ") + one.pair.internal.short_text();
    }
    return names;
}

TEST(Choice, SortsAndTakesTheFirst) {
    EXPECT_EQ(names({}), "10.0.0.2 10.0.0.3 10.1.0.0/24 fd00:1::4");
    EXPECT_EQ(names({.sort = "internal", .top = "1"}), "10.0.0.2");
    EXPECT_EQ(names({.sort = "external"}), "10.0.0.3 10.0.0.2 10.1.0.0/24 fd00:1::4");
    EXPECT_EQ(names({.sort = "packets"}), "10.0.0.2 10.1.0.0/24 10.0.0.3 fd00:1::4");
    EXPECT_EQ(names({.sort = "bytes", .top = "2"}), "10.0.0.3 10.0.0.2");
    EXPECT_EQ(names({.top = "100"}), names({}));
}

TEST(Choice, LeavesOutWhatIsNotMeant) {
    EXPECT_EQ(names({.family = "ipv6"}), "fd00:1::4");
    EXPECT_EQ(names({.comment = "mail"}), "10.0.0.2 10.0.0.3");
    EXPECT_EQ(names({.within = "10.0.0.0/16"}), "10.0.0.2 10.0.0.3");
    EXPECT_EQ(names({.within = "203.0.113.77"}), "10.1.0.0/24");
    EXPECT_EQ(names({.within = "198.51.100.8/29"}), "10.0.0.2");
    EXPECT_EQ(names({.sort = "packets", .top = "1", .within = "10.0.0.3", .family = "ipv4"}), "10.0.0.3");
    EXPECT_EQ(names({.within = "192.0.2.0/24"}), "");
}

TEST(Choice, RefusesWhatItDoesNotKnow) {
    const std::vector<ChoiceWords> refused{{.sort = "size"}, {.top = "0"}, {.top = "-1"}, {.top = "5x"}, {.top = ""},
                                           {.within = "10.0.0.1/8"}, {.within = "ten"}, {.family = "4"}};
    for (const ChoiceWords& words : refused) {
        try {
            read_choice(words);
            ADD_FAILURE();
        } catch (const CannotGoOn& refusal) {
            EXPECT_EQ(refusal.status, exit_usage);
            EXPECT_NE(refusal.sentence.find(": legal is "), std::string::npos) << refusal.sentence;
        }
    }
}

TEST(Listing, WritesJson) {
    EXPECT_EQ(as_json({}), "{\"pairs\":[]}\n");
    EXPECT_EQ(as_json(uncounted),
              "{\"pairs\":[\n"
              "{\"internal\":\"10.0.0.2\",\"external\":\"198.51.100.2\",\"npt\":false,\"comment\":\"mail\"}]}\n");
    EXPECT_EQ(as_json(counted),
              "{\"pairs\":[\n"
              "{\"internal\":\"10.0.0.2\",\"external\":\"198.51.100.2\",\"npt\":false,\"comment\":\"\","
              "\"outbound\":{\"packets\":5,\"bytes\":420},\"inbound\":{\"packets\":12,\"bytes\":1200}},\n"
              "{\"internal\":\"10.0.0.30\",\"external\":\"198.51.100.3\",\"npt\":false,"
              "\"comment\":\"a, \\\"b\\\"\\u000a\\\\\","
              "\"outbound\":{\"packets\":0,\"bytes\":0},\"inbound\":{\"packets\":0,\"bytes\":0}}]}\n");
}

TEST(Listing, WritesCsv) {
    EXPECT_EQ(as_csv(counted),
              "internal,external,outbound_packets,outbound_bytes,inbound_packets,inbound_bytes,comment,npt\n"
              "10.0.0.2,198.51.100.2,5,420,12,1200,,\n"
              "10.0.0.30,198.51.100.3,0,0,0,0,\"a, \"\"b\"\"\n\\\",\n");
    EXPECT_EQ(as_csv(uncounted),
              "internal,external,outbound_packets,outbound_bytes,inbound_packets,inbound_bytes,comment,npt\n"
              "10.0.0.2,198.51.100.2,,,,,mail,\n");
}

TEST(Inventory, IsTheInverseOfTheLayout) {
    Configuration configuration;
    configuration.pairs = {{side("10.0.0.2"), side("198.51.100.9"), false, "mail"},
                           {side("10.0.0.3"), side("198.51.100.3"), false, ""},
                           {side("fd00:1::2"), side("2001:db8:1::9"), false, "web"},
                           {side("10.0.0.2"), side("198.51.100.77"), false, "", true},
                           {side("10.0.0.2"), side("203.0.113.7"), false, "", true},
                           {side("fd00:1::2"), side("2001:db8:1::77"), false, "", true}};
    configuration.exempt_destinations = {Prefix::parse("10.0.0.0/8").value(), Prefix::parse("fd00::/8").value()};
    for (const Engine engine : {Engine::expression, Engine::native}) {
        for (const Counters counters : {Counters::pair, Counters::rule, Counters::off}) {
            configuration.counters = counters;
            const Configuration found = inventory(layout(configuration, engine)).configuration();
            EXPECT_EQ(found.engine, engine);
            EXPECT_EQ(found.counters, counters);
            EXPECT_EQ(found.exempt_destinations, configuration.exempt_destinations);
            EXPECT_EQ(found.pairs, configuration.pairs);
        }
    }
}

TEST(Inventory, PutsBothDirectionsOfAPairTogether) {
    Configuration configuration;
    configuration.pairs = {{side("10.0.0.2"), side("198.51.100.9"), false, ""},
                           {side("10.0.0.3"), side("198.51.100.3"), false, ""}};
    Ruleset ruleset = layout(configuration, Engine::native);
    for (Map& map : ruleset.at(0).maps) {
        change_each(map.elements, [](Element& element) {
            element.traffic = {element.key.bytes[0], element.key.bytes[3]};
        });
    }
    const std::vector<CountedPair> pairs = counted_pairs(ruleset);
    EXPECT_EQ(pairs.at(0).outbound, (Traffic{10, 2}));
    EXPECT_EQ(pairs.at(0).inbound, (Traffic{198, 9}));
    EXPECT_EQ(pairs.at(1).inbound, (Traffic{198, 3}));
}

TEST(Inventory, TellsTheFamiliesApart) {
    Configuration configuration;
    configuration.counters = Counters::rule;
    configuration.pairs = {{side("10.0.0.2"), side("198.51.100.9"), false, ""},
                           {side("10.0.0.3"), side("198.51.100.3"), false, ""},
                           {side("fd00:1::2"), side("2001:db8:1::2"), false, ""}};
    Ruleset ruleset = layout(configuration, Engine::native);
    ruleset.at(1).maps.at(0).capacity = 6144;
    const Inventory found = inventory(ruleset);
    EXPECT_TRUE(found.has_table(Family::ipv4));
    EXPECT_TRUE(found.has_table(Family::ipv6));
    ASSERT_EQ(found.occupancies.size(), 2U);
    EXPECT_EQ(found.occupancies[0].family, Family::ipv4);
    EXPECT_EQ(found.occupancies[0].pairs, 2U);
    EXPECT_EQ(found.occupancies[0].capacity, 3072U);
    EXPECT_EQ(found.occupancies[1].family, Family::ipv6);
    EXPECT_EQ(found.occupancies[1].pairs, 1U);
    EXPECT_EQ(found.occupancies[1].capacity, 6144U);
    ASSERT_EQ(found.rules.size(), 6U);
    EXPECT_EQ(found.rules[0].family, Family::ipv4);
    EXPECT_EQ(found.rules[0].text, "ip saddr != 169.254.0.0/16 ip daddr set ip daddr map @ext2int notrack counter");
    EXPECT_EQ(found.rules[3].family, Family::ipv6);
    EXPECT_EQ(found.rules[3].text, "ip6 saddr != fe80::/10 ip6 daddr set ip6 daddr map @ext2int notrack counter");
}

TEST(Inventory, KnowsExceptions) {
    for (const Engine engine : {Engine::expression, Engine::native}) {
        Configuration configuration;
        configuration.engine = engine;
        configuration.pairs = {{side("10.0.0.2"), side("198.51.100.2")}, {side("fd00::2"), side("2001:db8::2")}};
        configuration.exceptions = {{Side::internal, *Address::parse("10.0.0.2"), 6, 443},
                                    {Side::internal, *Address::parse("fd00::2"), 17, 53},
                                    {Side::external, *Address::parse("198.51.100.2"), 47, {}},
                                    {Side::external, *Address::parse("2001:db8::2"), 17, 53}};
        const Ruleset ruleset = layout(configuration, engine);
        const Inventory found = inventory(ruleset);
        EXPECT_EQ(exceptions(ruleset.front()).size(), 2U);
        EXPECT_TRUE(std::is_permutation(found.exceptions.begin(), found.exceptions.end(),
                                        configuration.exceptions.begin(), configuration.exceptions.end()));
        EXPECT_TRUE(plan(layout(found.configuration(), engine), ruleset).empty());
    }
}

TEST(Inventory, KnowsWhatIsExcluded) {
    Configuration configuration;
    configuration.engine = Engine::expression;
    configuration.pairs = {{side("10.1.0.0/24"), side("203.0.113.0/24")},
                           {side("10.1.0.5"), side("198.51.100.5")},
                           {side("10.9.0.0/28"), side("203.0.113.32/28")},
                           {side("fd00:1::/48"), side("2001:db8:1::/48"), true}};
    // The second one leaves no hole outside, since others are there.
    for (const char* excluded : {"10.1.0.1", "10.1.0.32/29", "10.1.0.32/28", "fd00:1::1", "fd00:1:0:ffff::/64"}) {
        configuration.pairs.exclude(side(excluded));
    }
    const Ruleset ruleset = layout(configuration, Engine::expression);
    const Inventory found = inventory(ruleset);
    EXPECT_EQ(found.pairs, configuration.pairs);
    EXPECT_TRUE(plan(layout(found.configuration(), Engine::expression), ruleset).empty());
    EXPECT_EQ(counted_pairs(ruleset).size(), 4U);
    ASSERT_EQ(found.occupancies.size(), 4U);
    EXPECT_EQ(find_named(ruleset.front().maps, "ext2int_29"), nullptr);
    EXPECT_TRUE(layout(found.configuration(), Engine::native).front().prefix_sets.empty());
    EXPECT_TRUE(found.pairs.hosts().excluded().empty());
    const Pairs rest = found.pairs.without({side("10.1.0.0/24"), side("203.0.113.0/24")});
    EXPECT_EQ(rest.excluded(), (std::vector{side("fd00:1::1"), side("fd00:1:0:ffff::/64")}));
}

TEST(Inventory, KnowsPrefixesAndNoHoles) {
    Configuration configuration;
    configuration.engine = Engine::expression;
    configuration.pairs = {{side("10.1.0.0/24"), side("203.0.113.0/24"), false, "wide"},
                           {side("10.1.0.5"), side("198.51.100.5"), false, "host"},
                           {side("fd00:1::/48"), side("2001:db8:1::/48"), true, "neutral"},
                           {side("fd00:2::/48"), side("2001:db8:2::/48"), false, "plain"}};
    Ruleset ruleset = layout(configuration, Engine::expression);
    for (Table& table : ruleset) {
        for (Map& map : table.maps) {
            change_each(map.elements, [](Element& element) {
                element.traffic = {element.key.bytes[1], element.value.bytes[1]};
            });
        }
    }
    const Inventory found = inventory(ruleset);
    EXPECT_EQ(found.pairs, configuration.pairs);
    const std::vector<CountedPair> pairs = counted_pairs(ruleset);
    EXPECT_EQ(pairs.at(0).outbound, (Traffic{1, 0}));
    EXPECT_EQ(pairs.at(0).inbound, (Traffic{0, 1}));
    ASSERT_EQ(found.occupancies.size(), 4U);
    EXPECT_EQ(found.occupancies[0].pairs, 1U);
    EXPECT_EQ(found.occupancies[1].length, 24);
    EXPECT_EQ(found.occupancies[1].capacity, 48U);
    EXPECT_FALSE(found.occupancies[2].npt);
    EXPECT_TRUE(found.occupancies[3].npt);
    EXPECT_EQ(as_table({pairs[2]}),
              "internal     external             packets out  bytes out  packets in  bytes in  comment\n"
              "fd00:1::/48  2001:db8:1::/48 npt            0          1           1         0  neutral\n");
}

TEST(Inventory, IsEmptyForNothing) {
    const Inventory found = inventory({});
    EXPECT_FALSE(found.engine);
    EXPECT_TRUE(found.pairs.empty());
    EXPECT_FALSE(found.has_table(Family::ipv4));
    EXPECT_FALSE(found.has_table(Family::ipv6));
}

}  // namespace
}  // namespace statnat
