// SPDX-License-Identifier: GPL-2.0-or-later
// From findings to pairs: what belongs together, what contradicts, and what is said of the rest.
#include "importers/joining.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace statnat {
namespace {

using Lines = std::vector<std::string>;

Finding found(unsigned line, const char* internal, const char* external, Direction direction = Direction::both,
              const char* comment = "", bool npt = false) {
    return {{line}, *Prefix::parse(internal), *Prefix::parse(external), direction, npt, comment};
}

Joined joined(std::vector<Finding> findings) {
    Reading reading;
    reading.findings = std::move(findings);
    return join(std::move(reading), "f");
}

Lines pairs(const Joined& joined) {
    Lines lines;
    for (const Pair& pair : joined.pairs) {
        lines.push_back(with_comment(pair));
    }
    return lines;
}

std::vector<unsigned> left(const Joined& joined) {
    std::vector<unsigned> lines;
    for (const Leftover& leftover : joined.leftovers) {
        lines.push_back(leftover.at.line);
    }
    return lines;
}

TEST(Joining, HalvesInAnyOrderAreOnePair) {
    const Joined all = joined({found(1, "10.0.0.3", "198.51.100.3", Direction::inbound),
                               found(2, "10.0.0.2", "198.51.100.2", Direction::outbound, "mail"),
                               found(3, "10.0.0.2", "198.51.100.2", Direction::inbound),
                               found(4, "10.0.0.3", "198.51.100.3", Direction::outbound),
                               found(5, "10.0.0.3", "198.51.100.3")});
    EXPECT_EQ(pairs(all), (Lines{"10.0.0.3 198.51.100.3", "10.0.0.2 198.51.100.2 # mail"}));
    EXPECT_TRUE(all.leftovers.empty());
}

TEST(Joining, HalvesOfDifferentKindsAreTwoHalves) {
    const Joined all = joined({found(1, "fd00:1::/48", "2001:db8:1::/48", Direction::outbound, "", true),
                               found(2, "fd00:1::/48", "2001:db8:1::/48", Direction::inbound)});
    EXPECT_EQ(pairs(all), Lines{});
    EXPECT_EQ(left(all), (std::vector<unsigned>{1, 2}));
}

TEST(Joining, WhatContradictsWhatGoesStays) {
    const Joined all = joined({found(1, "10.0.0.2", "198.51.100.2"), found(2, "10.0.0.2", "198.51.100.3"),
                               found(3, "10.0.0.3", "198.51.100.3"), found(4, "10.0.0.4", "198.51.100.3")});
    EXPECT_EQ(pairs(all), (Lines{"10.0.0.2 198.51.100.2", "10.0.0.3 198.51.100.3"}));
    ASSERT_EQ(left(all), (std::vector<unsigned>{2, 4}));
    EXPECT_EQ(all.leftovers[0].sentence,
              "10.0.0.2 is already the internal address of 198.51.100.2 (f:1); this one is left out");
    EXPECT_EQ(all.leftovers[1].sentence,
              "198.51.100.3 is already the external address of 10.0.0.3 (f:3); this one is left out");
}

TEST(Joining, AHalfContradictsNothing) {
    const Joined all = joined({found(1, "10.0.0.2", "198.51.100.9", Direction::outbound),
                               found(2, "10.0.0.2", "198.51.100.2")});
    EXPECT_EQ(pairs(all), Lines{"10.0.0.2 198.51.100.2"});
    EXPECT_EQ(left(all), std::vector<unsigned>{1});
}

TEST(Joining, CommentsThatCannotBeKeptAreSaid) {
    const Joined all = joined({found(1, "10.0.0.2", "198.51.100.2", Direction::outbound, "one"),
                               found(2, "10.0.0.2", "198.51.100.2", Direction::inbound, "other"),
                               found(3, "10.0.0.3", "198.51.100.3", Direction::both, "\xff")});
    EXPECT_EQ(pairs(all), (Lines{"10.0.0.2 198.51.100.2 # one", "10.0.0.3 198.51.100.3"}));
    EXPECT_EQ(left(all), (std::vector<unsigned>{2, 3}));
}

TEST(Joining, ManyContradictionsTakeNoTime) {
    std::vector<Finding> findings;
    for (unsigned line = 1; line <= 50'000; ++line) {
        findings.push_back(found(line, "10.0.0.2", "198.51.100.2"));
        findings.back().external.address.bytes[3] = static_cast<std::uint8_t>(line);
        findings.back().external.address.bytes[2] = static_cast<std::uint8_t>(line >> 8);
    }
    const Joined all = joined(std::move(findings));
    EXPECT_EQ(all.pairs.size(), 1U);
    EXPECT_EQ(all.leftovers.size(), 49'999U);
}

TEST(Sides, MasksAreLengths) {
    EXPECT_EQ(side_of("10.1.2.3/255.255.255.0")->text(), "10.1.2.0/24");
    EXPECT_EQ(side_of("10.1.2.3/0.0.0.0")->text(), "0.0.0.0/0");
    EXPECT_FALSE(side_of("10.1.2.3/255.0.255.0"));
    EXPECT_FALSE(side_of("fd00::/255.0.0.0"));
    EXPECT_FALSE(side_of("10.1.2.3/"));
    EXPECT_FALSE(side_of(""));
}

}  // namespace
}  // namespace statnat
