// SPDX-License-Identifier: GPL-2.0-or-later
// Pairs inside pairs, against a model that looks at every address of a small network: what is refused is what breaks
// 1:1, and maps with holes translate as the model does.
#include "pairs/overlaps.hpp"
#include "pairs/translation.hpp"
#include "ruleset/layout.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace statnat {
namespace {

Pair make_pair(const std::string& internal, const std::string& external, bool npt = false) {
    return {*Prefix::parse(internal), *Prefix::parse(external), npt, ""};
}

// In the order in which they are written.
Overlaps overlaps_of(const std::vector<Pair>& pairs) {
    std::vector<Candidate> all;
    for (const Pair& pair : pairs) {
        all.push_back({pair.internal, pair.external, pair.npt});
    }
    return overlaps(all);
}

// What objections() let pass: no pair is one with itself.
bool can_be_asked_for(const std::vector<Pair>& pairs) {
    return std::none_of(pairs.begin(), pairs.end(), [](const Pair& pair) { return pair.internal == pair.external; });
}

std::vector<std::string> holes(const std::vector<Pair>& pairs) {
    const Overlaps found = overlaps_of(pairs);
    EXPECT_TRUE(found.collisions.empty());
    std::vector<std::string> lines;
    for (const Hole& hole : found.holes) {
        lines.push_back(hole.external.short_text() + " by " + pairs[hole.overriding].internal.short_text());
    }
    return lines;
}

using Lines = std::vector<std::string>;

TEST(HolesTest, AreWhatAnOverrideLeavesOver) {
    const Pair wide = make_pair("10.1.0.0/24", "203.0.113.0/24");
    EXPECT_EQ(holes({wide}), Lines{});
    EXPECT_EQ(holes({wide, make_pair("10.1.0.5", "198.51.100.5")}), Lines{"203.0.113.5 by 10.1.0.5"});
    EXPECT_EQ(holes({wide, make_pair("10.1.0.5", "203.0.113.5")}), Lines{});
    // Somebody else may move in.
    EXPECT_EQ(holes({wide, make_pair("10.1.0.5", "198.51.100.5"), make_pair("10.9.0.5", "203.0.113.5")}), Lines{});
    // ... with two halves as well.
    EXPECT_EQ(holes({wide, make_pair("10.1.0.4/31", "198.51.100.4/31"), make_pair("10.9.0.4", "203.0.113.4"),
                     make_pair("10.8.0.5", "203.0.113.5")}),
              Lines{"203.0.113.4/31 by 10.1.0.4/31"});
    EXPECT_EQ(holes({make_pair("10.0.0.0/8", "20.0.0.0/8"), make_pair("10.1.0.0/16", "21.1.0.0/16"),
                     make_pair("10.1.1.1", "22.0.0.1")}),
              (Lines{"20.1.0.0/16 by 10.1.0.0/16", "21.1.1.1 by 10.1.1.1"}));
}

TEST(HolesTest, AreWhatIsExcludedOnBothSides) {
    Pairs pairs{make_pair("10.1.0.0/24", "203.0.113.0/24"), make_pair("10.1.0.20", "198.51.100.20"),
                make_pair("10.9.0.9", "203.0.113.1")};
    EXPECT_TRUE(collide(pairs));
    for (const char* excluded : {"10.1.0.1", "10.1.0.2", "10.1.0.16/28"}) {
        pairs.exclude(*Prefix::parse(excluded));
    }
    EXPECT_FALSE(collide(pairs));
    EXPECT_EQ(externals_excluded(pairs),
              (std::vector{*Prefix::parse("203.0.113.2"), *Prefix::parse("203.0.113.16/28")}));
    EXPECT_TRUE(externals_excluded(pairs.without(make_pair("10.1.0.0/24", "203.0.113.0/24"))).empty());
}

TEST(HolesTest, AreFilledByFurtherExternals) {
    const Pair inbound{*Prefix::parse("10.1.0.5"), *Prefix::parse("203.0.113.5"), false, "", true};
    Pairs pairs{make_pair("10.1.0.0/24", "203.0.113.0/24"), make_pair("10.1.0.5", "198.51.100.5"), inbound};
    EXPECT_FALSE(collide(pairs));
    EXPECT_TRUE(holes(pairs).empty());
    EXPECT_TRUE(pairs.unanswered().empty());
    pairs = pairs.without(make_pair("10.1.0.5", "198.51.100.5"));
    EXPECT_EQ(pairs, Pairs({make_pair("10.1.0.0/24", "203.0.113.0/24")}));
    EXPECT_TRUE(collide({make_pair("10.1.0.0/24", "203.0.113.0/24"), inbound}));
    EXPECT_EQ(Pairs({inbound}).unanswered(), std::vector{inbound});
}

TEST(OverlapsTest, AHostHasSeveralExternals) {
    const auto inbound = [](const std::string& internal, const std::string& external) {
        return Pair{*Prefix::parse(internal), *Prefix::parse(external), false, "", true};
    };
    const Pair pair = make_pair("10.0.0.2", "198.51.100.2");
    EXPECT_FALSE(collide({pair, inbound("10.0.0.2", "198.51.100.9"), inbound("10.0.0.2", "198.51.100.8")}));
    EXPECT_TRUE(collide({pair, inbound("10.0.0.2", "198.51.100.2")}));
    EXPECT_TRUE(collide({pair, make_pair("10.0.0.3", "198.51.100.3"), inbound("10.0.0.3", "198.51.100.2")}));
}

TEST(HolesTest, OfNptAreWhereItWouldHaveGone) {
    const Pair wide = make_pair("fd01:203:405::/48", "2001:db8:1::/48", true);
    EXPECT_EQ(holes({wide, make_pair("fd01:203:405:1::/64", "2001:db8:9::/64")}),
              Lines{"2001:db8:1:d550::/64 by fd01:203:405:1::/64"});
    EXPECT_EQ(holes({wide, make_pair("fd01:203:405:1::7", "2001:db8:9::7")}),
              Lines{"2001:db8:1:d550::7 by fd01:203:405:1::7"});
    EXPECT_EQ(holes({wide, make_pair("fd01:203:405:ffff::/64", "2001:db8:9::/64")}), Lines{});
    EXPECT_EQ(holes({wide, make_pair("fd01:203:405:1::", "2001:db8:9::")}), Lines{});
}

TEST(OverlapsTest, HalfAPairCollidesToo) {
    const Prefix one = *Prefix::parse("10.0.0.0/24");
    const Prefix inner = *Prefix::parse("10.0.0.5");
    const Prefix far = *Prefix::parse("198.51.100.5");
    const Overlaps found = overlaps({{one, {}, false}, {{}, inner, false}, {one, far, false}});
    ASSERT_EQ(found.collisions.size(), 2U);
    EXPECT_EQ(found.collisions[0].why, Collision::Why::same);
    EXPECT_EQ(found.collisions[0].later, 2U);
    EXPECT_EQ(found.collisions[1].why, Collision::Why::both_sides);
    EXPECT_EQ(found.collisions[1].later, 1U);
    EXPECT_EQ(found.collisions[1].earlier, 0U);
}

// ---- every address of a small network -------------------------------------------------------------------------------

class Random {
public:
    explicit Random(unsigned seed) : engine_(seed) {}
    std::uint32_t below(std::uint32_t limit) { return static_cast<std::uint32_t>(engine_()) % limit; }

private:
    std::mt19937 engine_;
};

// The pair that the longest prefix on this side chooses.
const Pair* chosen(const std::vector<Pair>& pairs, Side side, const Address& address) {
    const Pair* best = nullptr;
    for (const Pair& pair : pairs) {
        if (pair.side(side).covers(address) && (!best || pair.side(side).length > best->side(side).length)) {
            best = &pair;
        }
    }
    return best;
}

std::optional<Address> becomes(const Pair* pair, Side side, const Address& address) {
    if (!pair) {
        return std::nullopt;
    }
    const Counterpart counterpart = translate(translation(*pair, side), Prefix::host(address));
    return counterpart.fate == Fate::one ? std::optional(counterpart.prefix.address) : std::nullopt;
}

std::optional<Address> outbound(const std::vector<Pair>& pairs, const Address& address) {
    return becomes(chosen(pairs, Side::internal, address), Side::internal, address);
}

// Nobody is behind an external address whose internal one uses another.
std::optional<Address> inbound(const std::vector<Pair>& pairs, const Address& address) {
    const auto internal = becomes(chosen(pairs, Side::external, address), Side::external, address);
    return internal && outbound(pairs, *internal) == address ? internal : std::nullopt;
}

bool each_prefix_once(const std::vector<Pair>& pairs, Side side) {
    std::set<Prefix> known;
    return std::all_of(pairs.begin(), pairs.end(),
                       [&](const Pair& pair) { return known.insert(pair.side(side)).second; });
}

// Whatever goes out comes back, and nothing is on both sides.
bool one_to_one(const std::vector<Pair>& pairs, const std::vector<Address>& addresses) {
    return each_prefix_once(pairs, Side::internal) && each_prefix_once(pairs, Side::external) &&
           std::all_of(addresses.begin(), addresses.end(), [&](const Address& address) {
               const auto out = outbound(pairs, address);
               const bool both = chosen(pairs, Side::internal, address) && chosen(pairs, Side::external, address);
               return !both && (!out || inbound(pairs, *out) == address);
           });
}

// What the kernel does with the maps of the layout.
std::optional<Address> by_maps(const Table& table, Side side, const Address& address) {
    for (const Map& map : table.maps) {
        const auto role = MapRole::of(map, table.family);
        if (!role || role->key != side) {
            continue;
        }
        const Prefix key = Prefix::of(address, role->length);
        for (const Element& element : map.elements) {
            if (element.key == key.address && element.value == key.address) {
                return std::nullopt;
            }
            if (element.key == key.address) {
                const Counterpart counterpart =
                    translate({key, Prefix{element.value, role->length}, role->npt}, Prefix::host(address));
                return counterpart.fate == Fate::one ? std::optional(counterpart.prefix.address) : std::nullopt;
            }
        }
    }
    return std::nullopt;
}

// RFC 6296 takes some identifier to all zeros, and nothing back from there.
bool is_anycast(const Address& address) {
    return address.family == Family::ipv6 && Prefix::of(address, 64).address == address;
}

void expect_maps_translate_alike(const std::vector<Pair>& pairs, const std::vector<Address>& addresses) {
    Configuration configuration;
    configuration.pairs = Pairs(pairs);
    const Ruleset ruleset = layout(configuration, Engine::expression);
    for (const Address& address : addresses) {
        EXPECT_EQ(by_maps(ruleset.front(), Side::internal, address), outbound(pairs, address)) << address.text();
        const auto back = by_maps(ruleset.front(), Side::external, address);
        if (!back || !is_anycast(*back)) {
            EXPECT_EQ(back, inbound(pairs, address)) << address.text();
        }
    }
}

std::string print(const std::vector<Pair>& pairs) {
    std::string lines;
    for (const Pair& pair : pairs) {
        lines += pair.text() + "\n";
    }
    return lines;
}

TEST(OverlapsPropertyTest, RefusesExactlyWhatIsNotOneToOne) {
    std::vector<Address> addresses;
    for (const auto network : {std::uint8_t{10}, std::uint8_t{20}}) {
        for (std::uint8_t host = 0; host < 16; ++host) {
            addresses.push_back({Family::ipv4, {network, 0, 0, host}});
        }
    }
    int accepted = 0;
    int refused = 0;
    for (unsigned seed = 0; seed < 60'000; ++seed) {
        Random random(seed);
        const auto side = [&](std::uint8_t network, std::uint8_t length) {
            const bool stray = random.below(200) == 0;
            const auto host = static_cast<std::uint8_t>(random.below(16));
            return Prefix::of({Family::ipv4, {static_cast<std::uint8_t>(stray ? 10 : network), 0, 0, host}}, length);
        };
        std::vector<Pair> pairs;
        for (std::uint32_t count = 1 + random.below(6); count > 0; --count) {
            const auto length = static_cast<std::uint8_t>(28 + random.below(5));
            Pair pair{side(10, length), side(20, length)};
            if (random.below(2) == 0) {
                // In its natural place, or much that is legal would never come up.
                pair.external = Prefix::of({Family::ipv4, {20, 0, 0, pair.internal.address.bytes[3]}}, length);
            }
            pairs.push_back(pair);
        }
        const bool legal = overlaps_of(pairs).collisions.empty();
        if (can_be_asked_for(pairs)) {
            ASSERT_EQ(collide(Pairs(pairs)), !legal) << "seed " << seed << "\n" << print(pairs);
        }
        ASSERT_EQ(legal, one_to_one(pairs, addresses)) << "seed " << seed << "\n" << print(pairs);
        (legal ? accepted : refused)++;
        if (legal) {
            expect_maps_translate_alike(pairs, addresses);
        }
        ASSERT_FALSE(HasFailure()) << "seed " << seed << "\n" << print(pairs);
    }
    EXPECT_GT(accepted, 10'000);
    EXPECT_GT(refused, 10'000);
}

// Pairs of one length are judged by a shorter way.
TEST(OverlapsPropertyTest, WhatIsAcceptedOfHostsIsOneToOne) {
    int accepted = 0;
    int refused = 0;
    for (unsigned seed = 0; seed < 10'000; ++seed) {
        Random random(seed);
        const auto host = [&](Family family) {
            const auto number = static_cast<std::uint8_t>(random.below(30));
            return Prefix::host({family, {20, 0, 0, number}});
        };
        std::vector<Pair> pairs;
        std::vector<Address> addresses;
        for (std::uint32_t count = 1 + random.below(6); count > 0; --count) {
            const Family family = random.below(3) == 0 ? Family::ipv6 : Family::ipv4;
            pairs.push_back({host(family), host(family), false, ""});
            addresses.push_back(pairs.back().internal.address);
            addresses.push_back(pairs.back().external.address);
        }
        const bool legal = !collide(Pairs(pairs));
        ASSERT_EQ(legal, one_to_one(pairs, addresses)) << "seed " << seed << "\n" << print(pairs);
        ASSERT_EQ(legal, overlaps_of(pairs).collisions.empty()) << "seed " << seed << "\n" << print(pairs);
        (legal ? accepted : refused)++;
    }
    EXPECT_GT(accepted, 1'000);
    EXPECT_GT(refused, 1'000);
}

// The network is too large to look at each address; those at the borders tell.
TEST(OverlapsPropertyTest, WhatIsAcceptedOfNptIsOneToOne) {
    const std::vector<std::uint16_t> words{0, 1, 2, 0xd54f, 0xd550, 0x2aaf, 0x2ab0, 0xfffe, 0xffff};
    const auto address = [&](bool internal, std::uint16_t subnet, std::uint16_t high, std::uint16_t low) {
        const Prefix prefix = *Prefix::parse(internal ? "fd01:203:405::/48" : "2001:db8:1::/48");
        Address made = prefix.address;
        const auto set = [&](std::size_t index, std::uint16_t word) {
            made.bytes[2 * index] = static_cast<std::uint8_t>(word >> 8);
            made.bytes[2 * index + 1] = static_cast<std::uint8_t>(word);
        };
        set(3, subnet);
        set(4, high);
        set(7, low);
        return made;
    };
    std::vector<Address> addresses;
    for (const bool internal : {true, false}) {
        for (const std::uint16_t subnet : words) {
            for (const std::uint16_t high : words) {
                addresses.push_back(address(internal, subnet, high, 0));
                addresses.push_back(address(internal, subnet, high, 1));
            }
        }
    }
    const std::vector<std::uint8_t> lengths{48, 56, 64, 80, 128};
    int accepted = 0;
    for (unsigned seed = 0; seed < 4'000; ++seed) {
        Random random(seed);
        const auto word = [&] { return words[random.below(static_cast<std::uint32_t>(words.size()))]; };
        std::vector<Pair> pairs;
        for (std::uint32_t count = 1 + random.below(4); count > 0; --count) {
            const std::uint8_t length = lengths[random.below(static_cast<std::uint32_t>(lengths.size()))];
            const auto low = static_cast<std::uint16_t>(random.below(2));
            pairs.push_back({Prefix::of(address(true, word(), word(), low), length),
                             Prefix::of(address(false, word(), word(), low), length),
                             length <= 64 && random.below(4) != 0, ""});
        }
        const bool legal = overlaps_of(pairs).collisions.empty();
        ASSERT_EQ(collide(Pairs(pairs)), !legal) << "seed " << seed << "\n" << print(pairs);
        if (!legal) {
            continue;
        }
        ++accepted;
        for (const Address& one : addresses) {
            const auto out = outbound(pairs, one);
            EXPECT_TRUE(!out || is_anycast(*out) || inbound(pairs, *out) == one) << one.text();
        }
        expect_maps_translate_alike(pairs, addresses);
        ASSERT_FALSE(HasFailure()) << "seed " << seed << "\n" << print(pairs);
    }
    EXPECT_GT(accepted, 500);
}

}  // namespace
}  // namespace statnat
