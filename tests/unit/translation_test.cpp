// SPDX-License-Identifier: GPL-2.0-or-later
// What pairs make of addresses and prefixes, with the example of RFC 6296 and its corners.
#include "pairs/translation.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace statnat {
namespace {

Translation make_translation(const std::string& from, const std::string& to, bool npt) {
    return {*Prefix::parse(from), *Prefix::parse(to), npt};
}

std::string print(const Counterpart& counterpart) {
    switch (counterpart.fate) {
    case Fate::one: return counterpart.prefix.short_text();
    case Fate::subnet: return "no subnet";
    case Fate::identifier: return "no identifier";
    case Fate::scattered: break;
    }
    return "scattered";
}

struct Case {
    std::string part;
    std::string counterpart;
};

void expect(const Translation& translation, const std::vector<Case>& cases) {
    for (const Case& c : cases) {
        const Prefix part = *Prefix::parse(c.part);
        const Counterpart there = translate(translation, part);
        EXPECT_EQ(print(there), c.counterpart) << c.part;
        if (there.fate == Fate::one) {
            EXPECT_EQ(print(translate(translation.reversed(), there.prefix)), part.short_text()) << c.part;
            EXPECT_EQ(print(origin(translation, there.prefix)), part.short_text()) << c.part;
        }
    }
}

TEST(TranslationTest, ExchangesThePrefix) {
    expect(make_translation("10.1.0.0/16", "203.0.0.0/16", false), {
        {"10.1.2.3", "203.0.2.3"},
        {"10.1.0.0/16", "203.0.0.0/16"},
        {"10.1.2.128/25", "203.0.2.128/25"},
    });
    expect(make_translation("10.64.0.0/10", "20.128.0.0/10", false), {
        {"10.64.0.0", "20.128.0.0"},
        {"10.127.255.255", "20.191.255.255"},
        {"10.96.0.0/11", "20.160.0.0/11"},
    });
    expect(make_translation("10.0.0.2", "198.51.100.2", false), {{"10.0.0.2", "198.51.100.2"}});
    expect(make_translation("fd00:1::/48", "2001:db8:1::/48", false), {{"fd00:1:0:ffff::", "2001:db8:1:ffff::"}});
}

// RFC 6296, 3.4 and its example in 3.1
TEST(TranslationTest, AdjustsTheSubnet) {
    const Translation example = make_translation("fd01:203:405::/48", "2001:db8:1::/48", true);
    expect(example, {
        {"fd01:203:405:1::1234", "2001:db8:1:d550::1234"},
        {"fd01:203:405::/48", "2001:db8:1::/48"},
        {"fd01:203:405:1::/64", "2001:db8:1:d550::/64"},
        {"fd01:203:405:1:2::/80", "2001:db8:1:d550:2::/80"},
        {"fd01:203:405::/49", "scattered"},
        {"fd01:203:405::/63", "scattered"},
        {"fd01:203:405:ffff::1", "no subnet"},
        {"fd01:203:405:ffff::/64", "no subnet"},
        {"fd01:203:405:1::", "no identifier"},
        // what comes out as 0xffff is written as 0
        {"fd01:203:405:2ab0::1", "2001:db8:1::1"},
    });
    EXPECT_EQ(print(origin(example, *Prefix::parse("2001:db8:1:d550::"))), "no identifier");
    expect(make_translation("fd00::/40", "2001:db8::/40", true), {
        {"fd00:0:5::/48", "2001:db8:5::/48"},
        {"fd00:0:50::/44", "2001:db8:50::/44"},
        {"fd00:0:5:8000::/49", "scattered"},
    });
}

// RFC 6296, 3.5 and 3.7
TEST(TranslationTest, AdjustsTheFirstWordOfTheIdentifierThatIsNotAllOnes) {
    const Translation translation = make_translation("fd01:203:405:100::/56", "2001:db8:1:200::/56", true);
    expect(translation, {
        {"fd01:203:405:1ff::/64", "2001:db8:1:2ff::/64"},
        {"fd01:203:405:1f0::/60", "2001:db8:1:2f0::/60"},
        {"fd01:203:405:1ff::/65", "scattered"},
        {"fd01:203:405:100::1", "2001:db8:1:200:d44f::1"},
        {"fd01:203:405:100:ffff::1", "2001:db8:1:200:ffff:d44f:0:1"},
        {"fd01:203:405:100:ffff:ffff:ffff:1", "2001:db8:1:200:ffff:ffff:ffff:d450"},
        {"fd01:203:405:100:ffff:ffff:ffff:ffff", "no identifier"},
        {"fd01:203:405:100::", "no identifier"},
    });
    // Nothing comes back from an identifier that has become all zeros, but something went there.
    const Prefix zeros = *Prefix::parse("2001:db8:1:200::");
    EXPECT_EQ(print(origin(translation, zeros)), "fd01:203:405:100:2bb0::");
    EXPECT_EQ(print(translate(translation, *Prefix::parse("fd01:203:405:100:2bb0::"))), "2001:db8:1:200::");
    EXPECT_EQ(print(translate(translation.reversed(), zeros)), "no identifier");
}

std::uint32_t sum_of(const Address& address) {
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i < 16; i += 2) {
        sum += static_cast<std::uint32_t>(address.bytes[i] << 8 | address.bytes[i + 1]);
    }
    return sum % 0xffff;
}

// One's complement sums are equal if they are so modulo 0xffff.
TEST(TranslationPropertyTest, NptIsNeutralAndReversible) {
    std::mt19937 random(1);
    const auto any_address = [&] {
        Address address{Family::ipv6, {}};
        for (std::size_t i = 0; i < 16; i += 2) {
            const bool extreme = random() % 4 == 0;
            const std::uint_fast32_t word = extreme ? (random() % 2 == 0 ? 0xffff : 0) : random();
            address.bytes[i] = static_cast<std::uint8_t>(word >> 8);
            address.bytes[i + 1] = static_cast<std::uint8_t>(word);
        }
        return address;
    };
    for (int i = 0; i < 100'000; ++i) {
        const auto length = static_cast<std::uint8_t>(16 + random() % 49);
        const Translation translation{Prefix::of(any_address(), length), Prefix::of(any_address(), length), true};
        Address host = any_address();
        const Address leading = Prefix::of(host, length).address;
        for (std::size_t byte = 0; byte < 16; ++byte) {
            host.bytes[byte] = static_cast<std::uint8_t>(translation.from.address.bytes[byte] |
                                                         (host.bytes[byte] ^ leading.bytes[byte]));
        }
        const Counterpart there = translate(translation, Prefix::host(host));
        if (there.fate == Fate::one) {
            EXPECT_EQ(sum_of(there.prefix.address), sum_of(host));
            EXPECT_TRUE(translation.to.covers(there.prefix));
            EXPECT_EQ(origin(translation, there.prefix).prefix.address, host);
        }
    }
}

}  // namespace
}  // namespace statnat
