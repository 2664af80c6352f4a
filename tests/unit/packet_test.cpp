// SPDX-License-Identifier: GPL-2.0-or-later
// The module's packet face (ipv4.c, ipv6.c and checksum.c as they are), on packets that a process still changes.
//
// Compiled with the address sanitizer: each part of a packet is an allocation of its own and has no byte too many.
#include "fake_packet.hpp"

#include <gtest/gtest.h>

using namespace fake;

namespace {

struct Sample {
    std::string why;
    Bytes bytes;
    unsigned fixed;  // bytes that the kernel pulls before any hook sees the packet
};

std::vector<Sample> samples() {
    const Bytes quoted4 = ipv4(17, external4, peer4, udp), quoted6 = ipv6(17, external6, peer6, udp);
    const Bytes optional4 = ipv4(6, external4, peer4, tcp, Bytes(40, 1));
    const Bytes optional6 = ipv6(60, external6, peer6, behind(options(43), behind(routing(6), tcp)));
    return {
        {"IPv4, UDP", ipv4(17, peer4, external4, udp), 20},
        {"IPv4, options, TCP", ipv4(6, peer4, external4, tcp, Bytes(8, 1)), 28},
        {"IPv4, error", ipv4(1, peer4, external4, error(3, quoted4)), 20},
        {"IPv4, error, options", ipv4(1, peer4, external4, error(3, optional4)), 20},
        {"IPv6, UDP", ipv6(17, peer6, external6, udp), 40},
        {"IPv6, routing, options, UDP", ipv6(43, peer6, external6, behind(routing(60), behind(options(17), udp))), 40},
        {"IPv6, options, TCP", ipv6(60, peer6, external6, behind(options(60), behind(options(6), tcp))), 40},
        {"IPv6, error", ipv6(58, peer6, external6, error(1, quoted6)), 40},
        {"IPv6, options, error", ipv6(60, peer6, external6, behind(options(58), error(1, quoted6))), 40},
        {"IPv6, options, error, options", ipv6(60, peer6, external6, behind(options(58), error(1, optional6))), 40},
    };
}

TEST(PacketTest, IsTheSameWhereverItsLinearPartEnds) {
    for (const Sample& sample : samples()) {
        for (const snat_side side : sides) {
            SCOPED_TRACE(sample.why + (side == SNAT_SOURCE ? ", source" : ", destination"));
            Packet whole(sample.bytes, sample.bytes.size());
            ASSERT_EQ(translate(whole, side), 0);
            ASSERT_NE(whole.bytes(), sample.bytes);
            for (std::size_t linear = sample.fixed; linear <= sample.bytes.size(); linear++) {
                for (const bool cloned : {false, true}) {
                    Packet parted(sample.bytes, linear, cloned);
                    ASSERT_EQ(translate(parted, side), 0) << linear;
                    ASSERT_EQ(parted.bytes(), whole.bytes()) << linear;
                    ASSERT_TRUE(parted.clones_are(sample.bytes)) << linear;
                }
            }
        }
    }
}

TEST(PacketTest, IsLeftAsItIsWhereThereIsNoMemory) {
    for (const Sample& sample : samples()) {
        SCOPED_TRACE(sample.why);
        Packet packet(sample.bytes, sample.fixed, true);
        packet.has_memory = false;
        EXPECT_EQ(translate(packet), SNAT_NO_MEMORY);
        EXPECT_EQ(packet.bytes(), sample.bytes);
    }
}

TEST(PacketTest, IsMalformedWhereItsTransportHeaderIsCutOff) {
    for (const Bytes& cut : {ipv4(6, peer4, external4, Bytes(19)), ipv6(6, peer6, external6, Bytes(19)),
                             ipv6(60, peer6, external6, behind(options(6), Bytes(19))),
                             ipv6(60, peer6, external6, Bytes(1))}) {
        Packet packet(cut, cut.size());
        EXPECT_EQ(translate(packet), SNAT_MALFORMED);
        EXPECT_EQ(packet.bytes(), cut);
    }
}

// Each byte becomes each of some values before each look, for good or until the next one.
TEST(PacketTest, ChangesWhileItIsReadButNothingElseIsWritten) {
    const std::array<std::uint8_t, 14> values = {0, 1, 2, 6, 17, 43, 44, 51, 58, 60, 0x46, 0x4f, 0x60, 255};
    unsigned translated = 0, refused = 0;
    const auto run = [&](const Sample& sample, snat_side side, bool outer, const Packet::Change& change) {
        Packet packet(sample.bytes, sample.fixed, false, change);
        (translate(packet, side, outer) == 0 ? translated : refused)++;
        return packet.looks();
    };
    const auto disturb = [&](const Sample& sample, snat_side side, std::size_t at, std::uint8_t value, unsigned looks) {
        for (unsigned when = 1; when <= looks; when++) {
            for (const bool for_good : {false, true}) {
                run(sample, side, at % 2, [&](unsigned look, std::span<std::uint8_t> fragment) {
                    fragment[at] = look == when || (for_good && look > when) ? value : sample.bytes[at];
                });
            }
        }
    };
    for (const Sample& sample : samples()) {
        for (const snat_side side : sides) {
            const unsigned looks = run(sample, side, true, {});
            for (std::size_t at = sample.fixed; at < sample.bytes.size(); at++) {
                for (const std::uint8_t value : values) {
                    disturb(sample, side, at, value, looks);
                }
            }
        }
    }
    EXPECT_GT(translated, 100000U);
    EXPECT_GT(refused, 1000U);
}

// The checksum that covers addresses, by protocol: where it is over IPv4 and over IPv6.
struct Covered {
    int ipv4 = -1, ipv6 = -1;
};

const std::map<int, Covered> covered = {
    {6, {16, 16}},    // TCP
    {17, {6, 6}},     // UDP
    {33, {6, 6}},     // DCCP
    {58, {-1, 2}},    // ICMPv6
    {89, {-1, 12}},   // OSPF
    {103, {-1, 2}},   // PIM
    {112, {-1, 6}},   // VRRP
    {135, {-1, 4}},   // mobility header
    {136, {6, 6}},    // UDP-Lite
    {139, {4, 4}},    // HIP
};

TEST(PacketTest, FollowsTheChecksumsOfAllProtocols) {
    const Bytes carried(60, 0x77);
    for (int protocol = 0; protocol < 256; protocol++) {
        const auto number = static_cast<std::uint8_t>(protocol);
        const auto found = covered.find(protocol);
        for (const bool six : {false, true}) {
            const int header = six ? 40 : 20;
            const Bytes sent = six ? ipv6(number, peer6, external6, carried) : ipv4(number, peer4, external4, carried);
            // Which are no transport in IPv6, but more headers.
            if (six && (protocol == 0 || protocol == 43 || protocol == 44 || protocol == 51 || protocol == 60)) {
                continue;
            }
            Packet packet(sent, sent.size());
            ASSERT_EQ(translate(packet), 0) << protocol;
            Bytes wanted = sent, got = packet.bytes();
            const int at = found == covered.end() ? -1 : six ? found->second.ipv6 : found->second.ipv4;
            if (at >= 0) {
                EXPECT_NE(got[static_cast<std::size_t>(header + at)], 0x77) << protocol << (six ? " IPv6" : " IPv4");
                std::copy_n(got.begin() + header + at, 2, wanted.begin() + header + at);
            }
            EXPECT_TRUE(std::equal(got.begin() + header, got.end(), wanted.begin() + header))
                << protocol << (six ? " IPv6" : " IPv4");
        }
    }
}

}  // namespace
