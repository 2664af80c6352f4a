// SPDX-License-Identifier: GPL-2.0-or-later
// The module's arithmetic (sums.h, prefix.h and npt.h, as they are) against sums done word by word.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bitset>
#include <cstdint>
#include <cstring>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "npt.h"
#include "prefix.h"
#include "sums.h"

namespace {

// An IPv6 address as its eight 16-bit words, in the order in which they are written.
using Words = std::array<std::uint16_t, 8>;

constexpr std::uint16_t ones = 0xffff;

snat_address address(const Words& words) {
    snat_address address{};
    auto* bytes = reinterpret_cast<std::uint8_t*>(&address);
    for (std::size_t i = 0; i < words.size(); i++) {
        bytes[2 * i] = static_cast<std::uint8_t>(words[i] >> 8);
        bytes[2 * i + 1] = static_cast<std::uint8_t>(words[i]);
    }
    return address;
}

Words words(const snat_address& address) {
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(&address);
    Words words;
    for (std::size_t i = 0; i < words.size(); i++) {
        words[i] = static_cast<std::uint16_t>(bytes[2 * i] << 8 | bytes[2 * i + 1]);
    }
    return words;
}

snat_address address(std::uint32_t number) {
    return address(Words{static_cast<std::uint16_t>(number >> 16), static_cast<std::uint16_t>(number)});
}

// The words of which only the leading bits are kept; the rest is zero.
Words leading(Words words, unsigned length) {
    for (unsigned i = 0; i < words.size(); i++) {
        const unsigned kept = std::min(16U, length - std::min(length, 16 * i));
        words[i] = static_cast<std::uint16_t>(words[i] & ~(0xffffU >> kept));
    }
    return words;
}

Words joined(const Words& prefix, const Words& host, unsigned length) {
    Words joined = leading(prefix, length);
    const Words covered = leading(host, length);
    for (unsigned i = 0; i < joined.size(); i++) {
        joined[i] = static_cast<std::uint16_t>(joined[i] | (host[i] ^ covered[i]));
    }
    return joined;
}

// What a one's complement sum over the words amounts to: 0 and 0xffff are the same.
unsigned residue(const Words& words) {
    unsigned sum = 0;
    for (const std::uint16_t word : words) {
        sum += word;
    }
    return sum % ones;
}

bool all(const Words& words, std::uint16_t value) {
    return std::all_of(words.begin() + 4, words.end(), [=](std::uint16_t word) { return word == value; });
}

bool identifier_is_zero(const Words& words) {
    return all(words, 0);
}

struct Pair {
    Words internal, external;
    unsigned length;
};

struct Outcome {
    snat_npt status;
    Words address;

    bool operator==(const Outcome&) const = default;
};

// The module, used as eval.c does it, and in place as ipv6.c does.
Outcome translate(const Words& to, unsigned length, const Words& given) {
    snat_prefix prefix;
    snat_prefix_init(&prefix, static_cast<u8>(length));
    const snat_address value = address(to), subject = address(given);
    snat_address result = subject, in_place = subject;
    const snat_npt status = snat_npt_translate(&prefix, &value, &subject, &result);
    EXPECT_EQ(snat_npt_translate(&prefix, &value, &in_place, &in_place), status);
    EXPECT_EQ(words(in_place), words(result));
    return {status, words(result)};
}

Outcome outbound(const Pair& pair, const Words& internal) {
    return translate(pair.external, pair.length, internal);
}

Outcome inbound(const Pair& pair, const Words& external) {
    return translate(pair.internal, pair.length, external);
}

// RFC 6296, 3.4 and 3.5: the word that makes up for the prefix; none in an identifier of all ones.
std::optional<std::size_t> adjusted_word(const Words& words, unsigned length) {
    if (length <= 48) {
        return 3;
    }
    for (std::size_t i = 4; i < words.size(); i++) {
        if (words[i] != ones) {
            return i;
        }
    }
    return std::nullopt;
}

// RFC 6296 once more, in numbers modulo 0xffff instead of sums with carries.
Outcome expected(const Words& from, const Words& to, unsigned length, const Words& given) {
    const auto at = adjusted_word(given, length);
    if (identifier_is_zero(given) || !at) {
        return {SNAT_NPT_IDENTIFIER, given};  // 3.7
    }
    if (given[*at] == ones) {
        return {SNAT_NPT_SUBNET, given};  // 3.2, 3.3
    }
    Words result = joined(to, given, length);
    const unsigned change = residue(leading(from, length)) + ones - residue(leading(to, length));
    result[*at] = static_cast<std::uint16_t>((given[*at] + change) % ones);
    return {SNAT_NPT_DONE, result};
}

// Random words, among which those at the edges of one's complement are frequent.
class RandomWords {
  public:
    std::uint16_t word() {
        static constexpr std::array<std::uint16_t, 6> edges = {0, 1, 0x7fff, 0x8000, 0xfffe, ones};
        return static_cast<std::uint16_t>(below(3) ? below(65536) : edges[below(edges.size())]);
    }

    Words words() {
        Words words;
        std::generate(words.begin(), words.end(), [this] { return word(); });
        if (below(16) == 0) {
            std::fill(words.begin() + 4, words.end(), below(2) ? ones : std::uint16_t{0});
        }
        return words;
    }

    std::size_t below(std::size_t end) { return std::uniform_int_distribution<std::size_t>{0, end - 1}(engine_); }

  private:
    std::mt19937_64 engine_{6296};
};

TEST(SumsTest, AreThoseOfTheirWords) {
    RandomWords random;
    const auto residue_of = [](const snat_address& address) {
        return (address.word[0] + address.word[1] + address.word[2] + address.word[3]) % ones;
    };
    for (int round = 0; round < 100000; round++) {
        const snat_address one = address(random.words()), other = address(random.words());
        const u64 sum = snat_sum_add(one.half.first, other.half.first);
        const u64 difference = snat_sum_sub(one.half.first, other.half.first);
        ASSERT_EQ(snat_sum_fold16(one.half.first) % ones, residue_of(one));
        ASSERT_EQ(snat_sum_fold32(one.half.first) % ones, residue_of(one));
        ASSERT_EQ(snat_sum_fold16(sum) % ones, (residue_of(one) + residue_of(other)) % ones);
        ASSERT_EQ(snat_sum_fold16(difference) % ones, (residue_of(one) + ones - residue_of(other)) % ones);
    }
}

TEST(PrefixTest, MasksOfEveryLength) {
    for (unsigned length = 0; length <= 128; length++) {
        snat_prefix prefix;
        std::memset(&prefix, 0xa5, sizeof(prefix));
        snat_prefix_init(&prefix, static_cast<u8>(length));
        Words all_ones;
        all_ones.fill(ones);
        EXPECT_EQ(words(prefix.mask), leading(all_ones, length)) << length;
        EXPECT_EQ(prefix.length, length);
    }
}

TEST(PrefixTest, KeysAndReplacesIpv4OfEveryLength) {
    std::mt19937 random(6296);
    for (unsigned length = 1; length <= 32; length++) {
        const std::uint32_t mask = static_cast<std::uint32_t>(~0ULL << (32 - length));
        snat_prefix prefix;
        snat_prefix_init(&prefix, static_cast<u8>(length));
        for (int i = 0; i < 1000; i++) {
            const auto from = static_cast<std::uint32_t>(random());
            const auto host = static_cast<std::uint32_t>(random());
            const snat_address one = address(from), other = address(host);
            snat_address both{}, key{};
            snat_prefix_replace(NFPROTO_IPV4, &prefix, &one, &other, &both);
            snat_prefix_key(NFPROTO_IPV4, &prefix, &one, &key);
            ASSERT_EQ(words(both), words(address((from & mask) | (host & ~mask)))) << length;
            ASSERT_EQ(words(key), words(address(from & mask))) << length;
        }
    }
}

TEST(PrefixTest, KeysAndReplacesIpv6OfEveryLength) {
    std::mt19937 random(6296);
    for (unsigned length = 1; length <= 128; length++) {
        snat_prefix prefix;
        snat_prefix_init(&prefix, static_cast<u8>(length));
        for (int i = 0; i < 1000; i++) {
            Words from, host;
            for (Words* one : {&from, &host}) {
                std::generate(one->begin(), one->end(), [&] { return static_cast<std::uint16_t>(random()); });
            }
            const snat_address one = address(from), other = address(host);
            snat_address both, key;
            snat_prefix_replace(NFPROTO_IPV6, &prefix, &one, &other, &both);
            snat_prefix_key(NFPROTO_IPV6, &prefix, &one, &key);
            ASSERT_EQ(words(both), joined(from, host, length)) << length;
            ASSERT_EQ(words(key), leading(from, length)) << length;
        }
    }
}

// Apart by one bit each: those in the prefix make a difference.
TEST(PrefixTest, MatchesWhatBeginsTheSame) {
    std::mt19937 random(6296);
    for (const u8 family : {NFPROTO_IPV4, NFPROTO_IPV6}) {
        const unsigned bits = family == NFPROTO_IPV4 ? 32 : 128;
        for (unsigned length = 0; length <= bits; length++) {
            snat_prefix prefix;
            snat_prefix_init(&prefix, static_cast<u8>(length));
            Words given;
            std::generate(given.begin(), given.end(), [&] { return static_cast<std::uint16_t>(random()); });
            const snat_address value = address(leading(given, length));
            ASSERT_TRUE(snat_prefix_matches(family, &prefix, &value, &value));
            for (unsigned bit = 0; bit < bits; bit++) {
                Words apart = leading(given, length);
                apart[bit / 16] = static_cast<std::uint16_t>(apart[bit / 16] ^ (0x8000U >> bit % 16));
                const snat_address other = address(apart);
                ASSERT_EQ(snat_prefix_matches(family, &prefix, &value, &other), bit >= length) << length << " " << bit;
            }
        }
    }
}

TEST(PrefixTest, All65536HostsOfAPairOfIpv4) {
    snat_prefix prefix;
    snat_prefix_init(&prefix, 16);
    const snat_address internal = address(0x0a010000), external = address(0xc6130000);
    std::bitset<65536> seen;
    for (std::uint32_t host = 0; host < 65536; host++) {
        const snat_address inside = address(0x0a010000 | host);
        snat_address outside{}, again{};
        snat_prefix_replace(NFPROTO_IPV4, &prefix, &external, &inside, &outside);
        ASSERT_EQ(words(outside), words(address(0xc6130000 | host)));
        snat_prefix_replace(NFPROTO_IPV4, &prefix, &internal, &outside, &again);
        ASSERT_EQ(words(again), words(inside));
        seen.set(words(outside)[1]);
    }
    EXPECT_TRUE(seen.all());
}

TEST(NptTest, ExamplesOfTheRfc) {
    const Pair example{{0xfd01, 0x0203, 0x0405}, {0x2001, 0x0db8, 0x0001}, 48};
    struct Case {
        std::string why;
        std::uint16_t internal, external;
    };
    const std::vector<Case> cases = {
        {"3.6: the adjustment is 0xd54f", 0x0001, 0xd550},
        {"3.6: subnet 0 shows it", 0x0000, 0xd54f},
        {"the last one without a carry", 0x2aaf, 0xfffe},
        {"3.6: a computed 0xffff is written as 0", 0x2ab0, 0x0000},
        {"the first one with a carry", 0x2ab1, 0x0001},
        {"the last one that there is", 0xfffe, 0xd54e},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.why);
        Words inside{0xfd01, 0x0203, 0x0405, c.internal, 0, 0, 0, 0x1234};
        Words outside{0x2001, 0x0db8, 0x0001, c.external, 0, 0, 0, 0x1234};
        EXPECT_EQ(outbound(example, inside), (Outcome{SNAT_NPT_DONE, outside}));
        EXPECT_EQ(inbound(example, outside), (Outcome{SNAT_NPT_DONE, inside}));
    }
}

TEST(NptTest, LongerPrefixesByHand) {
    // Section 3.5: the first word of the identifier that is not 0xffff; 0xfd01 - 0x2001 is 0xdd00.
    const Pair pair{{0xfd01, 0, 0, 0x1200}, {0x2001, 0, 0, 0x1200}, 56};
    const std::vector<std::pair<Words, Words>> cases = {
        {{0xfd01, 0, 0, 0x1234, 1, 2, 3, 4}, {0x2001, 0, 0, 0x1234, 0xdd01, 2, 3, 4}},
        {{0xfd01, 0, 0, 0x12ff, ones, 2, 3, 4}, {0x2001, 0, 0, 0x12ff, ones, 0xdd02, 3, 4}},
        {{0xfd01, 0, 0, 0x1200, ones, ones, 3, 4}, {0x2001, 0, 0, 0x1200, ones, ones, 0xdd03, 4}},
        {{0xfd01, 0, 0, 0x1200, ones, ones, ones, 0}, {0x2001, 0, 0, 0x1200, ones, ones, ones, 0xdd00}},
        {{0xfd01, 0, 0, 0x1200, 0x22ff, 0, 0, 1}, {0x2001, 0, 0, 0x1200, 0, 0, 0, 1}},
        {{0xfd01, 0, 0, 0x1200, 0x2300, ones, 0, 1}, {0x2001, 0, 0, 0x1200, 1, ones, 0, 1}},
    };
    for (const auto& [inside, outside] : cases) {
        EXPECT_EQ(outbound(pair, inside), (Outcome{SNAT_NPT_DONE, outside}));
        EXPECT_EQ(inbound(pair, outside), (Outcome{SNAT_NPT_DONE, inside}));
    }
}

TEST(NptTest, EveryValueOfTheWord) {
    // With a prefix for each of the two choices of the word, and one that leaves nothing to adjust.
    const std::vector<Pair> pairs = {
        {{0xfd01, 0x0203, 0x0405}, {0x2001, 0x0db8, 0x0001}, 48},
        {{0xfd01, 0x0203, 0x0405, 0x0600}, {0x2001, 0x0db8, 0x0001, 0x1100}, 56},
        {{0xfd01, 0x0203, 0x0405}, {0xfd01, 0x0405, 0x0203}, 48},
        {{0xfd01, 0x0203, 0x0405, 0x0600}, {0xfd01, 0x0405, 0x0203, 0x0600}, 64},
    };
    for (const Pair& pair : pairs) {
        const std::size_t at = pair.length <= 48 ? 3 : 4;
        std::bitset<65536> seen;
        for (unsigned value = 0; value < ones; value++) {
            Words inside = pair.internal;
            inside[7] = 1;
            inside[at] = static_cast<std::uint16_t>(value);
            const Outcome out = outbound(pair, inside);
            ASSERT_EQ(out.status, SNAT_NPT_DONE);
            ASSERT_EQ(inbound(pair, out.address), (Outcome{SNAT_NPT_DONE, inside}));
            seen.set(out.address[at]);
        }
        EXPECT_EQ(seen.count(), 65535U);
        EXPECT_FALSE(seen.test(ones));
    }
}

TEST(NptTest, SubnetOfAllOnesAndIdentifiersOfAllOnesOrZeros) {
    struct Case {
        unsigned length;
        Words given;
        snat_npt status;
    };
    const std::vector<Case> cases = {
        {48, {0xfd01, 1, 2, ones, 1, 2, 3, 4}, SNAT_NPT_SUBNET},
        {16, {0xfd01, 1, 2, ones, 1, 2, 3, 4}, SNAT_NPT_SUBNET},
        {49, {0xfd01, 1, 2, ones, 1, 2, 3, 4}, SNAT_NPT_DONE},
        {64, {0xfd01, 1, 2, ones, 1, 2, 3, 4}, SNAT_NPT_DONE},
        {48, {0xfd01, 1, 2, 3, ones, ones, ones, ones}, SNAT_NPT_DONE},
        {49, {0xfd01, 1, 2, 3, ones, ones, ones, ones}, SNAT_NPT_IDENTIFIER},
        {64, {0xfd01, 1, 2, 3, ones, ones, ones, ones}, SNAT_NPT_IDENTIFIER},
        {48, {0xfd01, 1, 2, 3, 0, 0, 0, 0}, SNAT_NPT_IDENTIFIER},
        {64, {0xfd01, 1, 2, 3, 0, 0, 0, 0}, SNAT_NPT_IDENTIFIER},
        {48, {0xfd01, 1, 2, ones, 0, 0, 0, 0}, SNAT_NPT_IDENTIFIER},
        {64, {0xfd01, 1, 2, 3, ones, 0, 0, 0}, SNAT_NPT_DONE},
        {64, {0xfd01, 1, 2, 3, 0, 0, 0, 1}, SNAT_NPT_DONE},
    };
    for (const Case& c : cases) {
        const Pair pair{c.given, {0x2001, 0x0db8, 1, 2}, c.length};
        EXPECT_EQ(outbound(pair, c.given).status, c.status) << testing::PrintToString(c.given) << c.length;
    }
}

// Section 3.7 has a gap of its own: an identifier that becomes all zeros leaves, but is dropped when it comes back.
TEST(NptTest, AnIdentifierThatBecomesZeroIsAOneWayStreet) {
    const Pair pair{{0xfd01, 0, 0, 0x1200}, {0x2001, 0, 0, 0x1200}, 56};
    const Outcome out = outbound(pair, {0xfd01, 0, 0, 0x1200, 0x22ff, 0, 0, 0});
    EXPECT_EQ(out, (Outcome{SNAT_NPT_DONE, {0x2001, 0, 0, 0x1200, 0, 0, 0, 0}}));
    EXPECT_EQ(inbound(pair, out.address).status, SNAT_NPT_IDENTIFIER);
}

// The internal address in whose prefix the translation makes an identifier of zeros.
Words leading_to_zero(const Pair& pair, Words internal) {
    const unsigned change = residue(pair.external) + ones - residue(pair.internal);
    std::fill(internal.begin() + 4, internal.end(), std::uint16_t{0});
    internal[4] = static_cast<std::uint16_t>(change % ones);
    return internal;
}

TEST(NptTest, OneHundredThousandRandomPrefixesAndAddresses) {
    RandomWords random;
    std::map<std::string, unsigned> happened;
    for (unsigned round = 0; round < 100000; round++) {
        const unsigned length = 1 + round % 64;
        const Pair pair{leading(random.words(), length), leading(random.words(), length), length};
        Words inside = joined(pair.internal, random.words(), length);
        if (round % 8 == 0 && length > 48) {
            inside = leading_to_zero(pair, inside);
        }
        SCOPED_TRACE(testing::PrintToString(inside) + " /" + std::to_string(length));

        const Outcome out = outbound(pair, inside);
        ASSERT_EQ(out, expected(pair.internal, pair.external, length, inside));

        const auto at = adjusted_word(inside, length);
        if (out.status != SNAT_NPT_DONE) {
            const bool has_none = identifier_is_zero(inside) || !at || inside[*at] == ones;
            ASSERT_TRUE(has_none);
            happened[out.status == SNAT_NPT_SUBNET ? "subnet" : at ? "zeros" : "ones"]++;
            continue;
        }
        ASSERT_FALSE(identifier_is_zero(inside));

        // Neutral, the prefix replaced, and of the rest one word alone, which is never 0xffff.
        ASSERT_EQ(residue(out.address), residue(inside));
        ASSERT_EQ(leading(out.address, length), pair.external);
        ASSERT_NE(out.address[*at], ones);
        Words rest = out.address;
        rest[*at] = inside[*at];
        ASSERT_EQ(joined(pair.internal, rest, length), inside);

        const Outcome back = inbound(pair, out.address);
        if (identifier_is_zero(out.address)) {
            ASSERT_GT(length, 48U);
            ASSERT_EQ(back.status, SNAT_NPT_IDENTIFIER);
            happened["one way"]++;
        } else {
            ASSERT_EQ(back, (Outcome{SNAT_NPT_DONE, inside}));
            happened[length <= 48 ? "both ways, by the subnet" : "both ways, by the identifier"]++;
        }
    }
    for (const char* what : {"subnet", "zeros", "ones", "one way", "both ways, by the subnet",
                             "both ways, by the identifier"}) {
        EXPECT_GT(happened[what], 100U) << what;
    }
}

}  // namespace
