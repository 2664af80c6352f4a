// SPDX-License-Identifier: GPL-2.0-or-later
// What comes of a packet, bit for bit: its address is the new one, and all of its sums are right, which are not
// followed here as the module does it, but computed from all of the packet.
#include "fake_packet.hpp"

#include <gtest/gtest.h>
#include <net/checksum.h>
#include <net/ip.h>

using namespace fake;

namespace {

// Where an IP header is, the transport behind it, and of that the checksum; 0: none.
struct Header {
    std::size_t at, upper, check;
    bool covers_addresses;
};

struct Whole {
    std::string why;
    Bytes bytes;
    std::vector<Header> headers;  // its own, then the quoted one

    bool six() const { return bytes[0] >> 4 == 6; }
    bool quotes() const { return headers.size() > 1; }
};

std::uint32_t sum(std::span<const std::uint8_t> bytes, std::uint32_t start = 0) {
    for (std::size_t i = 0; i < bytes.size(); i++) {
        start += i % 2 ? bytes[i] : bytes[i] << 8U;
    }
    while (start >> 16U) {
        start = (start & 0xffffU) + (start >> 16U);
    }
    return start;
}

void put(Bytes& bytes, std::size_t at, std::uint32_t sum) {
    bytes[at] = static_cast<std::uint8_t>(sum >> 8U);
    bytes[at + 1] = static_cast<std::uint8_t>(sum);
}

std::uint32_t pseudo(const Whole& packet, const Header& header, std::uint32_t protocol) {
    const std::span<const std::uint8_t> all(packet.bytes);
    const auto addresses = packet.six() ? all.subspan(header.at + 8, 32) : all.subspan(header.at + 12, 8);
    return sum(addresses, static_cast<std::uint32_t>(all.size() - header.upper) + protocol);
}

std::uint32_t protocol_of(const Whole& packet, const Header& header) {
    const std::uint8_t next = packet.bytes[header.at + (packet.six() ? 6 : 9)];
    // Behind one extension header or none.
    return packet.six() && header.upper > header.at + 40 ? packet.bytes[header.at + 40] : next;
}

// From the innermost to its own.
void sum_up(Whole& packet) {
    for (auto header = packet.headers.rbegin(); header != packet.headers.rend(); ++header) {
        Bytes& bytes = packet.bytes;
        if (!packet.six()) {
            put(bytes, header->at + 10, 0);
            const std::size_t size = (bytes[header->at] & 15U) * 4;
            put(bytes, header->at + 10, ~sum(std::span(bytes).subspan(header->at, size)));
        }
        const std::size_t check = header->upper + header->check;
        if (header->check && check + 2 <= bytes.size()) {
            put(bytes, check, 0);
            const std::uint32_t start =
                header->covers_addresses ? pseudo(packet, *header, protocol_of(packet, *header)) : 0;
            const std::uint32_t whole = ~sum(std::span(bytes).subspan(header->upper), start) & 0xffffU;
            put(bytes, check, whole ? whole : 0xffff);
        }
    }
}

void replace(Whole& packet, const Header& header, snat_side side) {
    const std::size_t size = packet.six() ? 16 : 4, first = header.at + (packet.six() ? 8 : 12);
    const std::uint8_t* to = packet.six() ? internal6.data() : internal4.data();
    std::copy_n(to, size, packet.bytes.begin() + static_cast<std::ptrdiff_t>(first + side * size));
}

Whole translated(Whole packet, snat_side side, bool outer_has_pair = true) {
    if (outer_has_pair || !packet.quotes()) {
        replace(packet, packet.headers[0], side);
    }
    if (packet.quotes()) {
        replace(packet, packet.headers[1], snat_other_side(side));
    }
    sum_up(packet);
    return packet;
}

const Bytes dccp = {0, 9, 0, 9, 4, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 7};
const Bytes echo = {8, 0, 0, 0, 0, 1, 0, 2, 3, 4, 5, 6};
const Bytes echo6 = {128, 0, 0, 0, 0, 1, 0, 2, 3, 4, 5, 6};
const Bytes authentication = {33, 4, 0, 0, 0, 0, 0, 9, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
const Bytes fragment = {17, 0, 0, 1, 0, 0, 0, 7};

std::vector<Whole> wholes() {
    const Bytes quoted4 = ipv4(17, external4, peer4, udp), quoted6 = ipv6(17, external6, peer6, udp);
    const Bytes optional4 = ipv4(6, external4, peer4, tcp, Bytes(8, 1));
    const Bytes routed6 = ipv6(43, external6, peer6, behind(routing(6), tcp));
    std::vector<Whole> all = {
        {"UDP", ipv4(17, peer4, external4, udp), {{0, 20, 6, true}}},
        {"options, TCP", ipv4(6, peer4, external4, tcp, Bytes(8, 1)), {{0, 28, 16, true}}},
        {"DCCP", ipv4(33, peer4, external4, dccp), {{0, 20, 6, true}}},
        {"SCTP", ipv4(132, peer4, external4, dccp), {{0, 20, 0, false}}},
        {"echo", ipv4(1, peer4, external4, echo), {{0, 20, 2, false}}},
        {"error", ipv4(1, peer4, external4, error(3, quoted4)), {{0, 20, 2, false}, {28, 48, 6, true}}},
        {"options, error about options", ipv4(1, peer4, external4, error(11, optional4), Bytes(8, 1)),
         {{0, 28, 2, false}, {36, 64, 16, true}}},
        {"UDP", ipv6(17, peer6, external6, udp), {{0, 40, 6, true}}},
        {"TCP", ipv6(6, peer6, external6, tcp), {{0, 40, 16, true}}},
        {"echo", ipv6(58, peer6, external6, echo6), {{0, 40, 2, true}}},
        {"options, UDP", ipv6(60, peer6, external6, behind(options(17), udp)), {{0, 48, 6, true}}},
        {"routing, TCP", ipv6(43, peer6, external6, behind(routing(6), tcp)), {{0, 48, 16, true}}},
        {"authentication, DCCP", ipv6(51, peer6, external6, behind(authentication, dccp)), {{0, 64, 6, true}}},
        {"first fragment, UDP", ipv6(44, peer6, external6, behind(fragment, udp)), {{0, 48, 6, true}}},
        {"error", ipv6(58, peer6, external6, error(1, quoted6)), {{0, 40, 2, true}, {48, 88, 6, true}}},
        {"options, error about routing", ipv6(60, peer6, external6, behind(options(58), error(3, routed6))),
         {{0, 48, 2, true}, {56, 104, 16, true}}},
    };
    for (Whole& one : all) {
        one.why = (one.six() ? "IPv6, " : "IPv4, ") + one.why;
        sum_up(one);
    }
    return all;
}

std::size_t fixed(const Whole& packet) {
    return packet.six() ? 40 : (packet.bytes[0] & 15U) * 4;
}

TEST(PacketSumsTest, AreRightOnEachSideAndWhereverAPacketIsParted) {
    for (const Whole& sent : wholes()) {
        for (const snat_side side : sides) {
            for (const bool outer : {true, false}) {
                const Bytes wanted = translated(sent, side, outer).bytes;
                for (std::size_t linear = fixed(sent); linear <= sent.bytes.size(); linear++) {
                    Packet packet(sent.bytes, linear, linear % 2);
                    ASSERT_EQ(translate(packet, side, outer), 0) << sent.why;
                    ASSERT_EQ(packet.bytes(), wanted) << sent.why << ", side " << side << ", " << linear << " linear";
                }
            }
        }
    }
}

// A quote may end anywhere behind its address; its own length says what was there, and the error's sum covers what is.
TEST(PacketSumsTest, AreRightForQuotesThatAreCutOff) {
    for (const Whole& sent : wholes()) {
        const std::size_t least = sent.headers.back().at + (sent.six() ? 40 : 20);
        for (std::size_t size = least; sent.quotes() && size < sent.bytes.size(); size++) {
            const auto cut = [&](Whole whole) {
                whole.bytes.resize(size);
                whole.headers.resize(1);
                const std::size_t length = whole.six() ? 4 : 2;
                put(whole.bytes, length, static_cast<std::uint32_t>(size - (whole.six() ? 40 : 0)));
                sum_up(whole);
                return whole;
            };
            const Whole one = cut(sent);
            Whole wanted = translated(sent, SNAT_SOURCE);
            const std::size_t check = sent.headers[1].upper + sent.headers[1].check;
            if (check + 2 > size) {
                std::copy_n(sent.bytes.begin() + static_cast<std::ptrdiff_t>(check), 2,
                            wanted.bytes.begin() + static_cast<std::ptrdiff_t>(check));
            }
            wanted = cut(wanted);
            Packet packet(one.bytes, fixed(one));
            ASSERT_EQ(translate(packet, SNAT_SOURCE), 0) << sent.why << ", " << size;
            ASSERT_EQ(packet.bytes(), wanted.bytes) << sent.why << ", " << size;
        }
    }
}

// Whatever is left of it: refused as it is, or with the new address.
TEST(PacketSumsTest, OfAPacketThatIsCutOffNothingIsHalfDone) {
    for (const Whole& sent : wholes()) {
        for (std::size_t size = fixed(sent); size <= sent.bytes.size(); size++) {
            const Bytes cut(sent.bytes.begin(), sent.bytes.begin() + static_cast<std::ptrdiff_t>(size));
            Packet packet(cut, fixed(sent));
            if (const int error = translate(packet, SNAT_SOURCE)) {
                EXPECT_EQ(error, SNAT_MALFORMED) << sent.why << ", " << size;
                EXPECT_EQ(packet.bytes(), cut) << sent.why << ", " << size;
                EXPECT_LT(size, sent.headers[0].upper + 20) << sent.why;
            } else {
                const Bytes got = packet.bytes();
                const std::ptrdiff_t at = sent.six() ? 8 : 12, end = sent.six() ? 24 : 16;
                const Whole whole = translated(sent, SNAT_SOURCE);
                EXPECT_TRUE(std::equal(got.begin() + at, got.begin() + end, whole.bytes.begin() + at)) << sent.why;
            }
        }
    }
}

// What hardware has summed up is the sum of all that is there; memory's byte order, as the kernel keeps it.
std::uint16_t of_hardware(const Bytes& bytes) {
    return htons(static_cast<std::uint16_t>(sum(bytes)));
}

TEST(PacketSumsTest, OfHardwareFollow) {
    for (const Whole& sent : wholes()) {
        for (const snat_side side : sides) {
            Packet packet(sent.bytes, fixed(sent));
            packet.ip_summed = CHECKSUM_COMPLETE;
            packet.csum = of_hardware(sent.bytes);
            ASSERT_EQ(translate(packet, side), 0);
            const auto folded = static_cast<std::uint16_t>(~csum_fold(packet.csum));
            const std::uint16_t wanted = of_hardware(translated(sent, side).bytes);
            EXPECT_EQ(folded % 0xffff, wanted % 0xffff) << sent.why << ", side " << side;
        }
    }
}

// What is left to hardware is the sum of the pseudo header, where it begins at this very transport.
TEST(PacketSumsTest, LeftToHardwareFollow) {
    enum { own, of_a_tunnel, of_each_segment };
    for (const Whole& sent : wholes()) {
        for (const int kind : {own, of_a_tunnel, of_each_segment}) {
            for (const snat_side side : sides) {
                const Header& header = sent.headers[0];
                if (sent.quotes() || !header.covers_addresses) {
                    continue;
                }
                Whole begun = sent, wanted = translated(sent, side);
                if (kind != of_a_tunnel) {
                    for (Whole* one : {&begun, &wanted}) {
                        put(one->bytes, header.upper + header.check, pseudo(*one, header, protocol_of(*one, header)));
                    }
                }
                Packet packet(begun.bytes, begun.bytes.size());
                packet.ip_summed = CHECKSUM_PARTIAL;
                packet.csum_start = static_cast<std::uint16_t>(header.upper + (kind == own ? 0 : 8));
                packet.shared.gso_type = kind == of_each_segment ? SKB_GSO_UDP_TUNNEL_CSUM : 0;
                ASSERT_EQ(translate(packet, side), 0);
                EXPECT_EQ(packet.bytes(), wanted.bytes) << sent.why << ", " << kind;
            }
        }
    }
}

// One byte is another one.
TEST(PacketSumsTest, OddPacketsAreRefusedOrQuoteNothing) {
    struct Row {
        std::size_t number, at;
        std::uint8_t value;
        int error;
        bool quotes;
    };
    const std::vector<Row> rows = {
        {0, 0, 0x44, SNAT_MALFORMED, false},    // a header of 16 bytes
        {5, 0, 0x44, SNAT_MALFORMED, false},
        {5, 20, 8, 0, false},                   // no error
        {5, 28, 0x65, 0, false},                // no IPv4 quoted
        {5, 28, 0x44, 0, false},
        {5, 7, 1, 0, false},                    // a later fragment
        {5, 28, 0x4f, 0, true},                 // a long header, of a short quote
        {14, 40, 129, 0, false},                // no error
        {14, 48, 0x40, 0, false},               // no IPv6 quoted
        {10, 41, 255, SNAT_MALFORMED, false},   // options, and then nothing
        {13, 43, 8, 0, false},                  // a later fragment
    };
    for (const Row& row : rows) {
        Whole sent = wholes()[row.number];
        sent.bytes[row.at] = row.value;
        Packet packet(sent.bytes, sent.bytes.size());
        snat_quote quote{};
        const bool quotes = sent.six() ? snat_ipv6_quote(&packet, SNAT_SOURCE, &quote)
                                       : snat_ipv4_quote(&packet, SNAT_SOURCE, &quote);
        EXPECT_EQ(quotes, row.quotes) << sent.why << ", byte " << row.at;
        EXPECT_EQ(translate(packet, SNAT_SOURCE), row.error) << sent.why << ", byte " << row.at;
    }
}

TEST(PacketSumsTest, OfOtherAddressesStay) {
    struct Row {
        std::size_t number;
        snat_side side;
        std::size_t at;
        std::uint8_t value;
        bool follows;
    };
    const std::vector<Row> rows = {
        {11, SNAT_DESTINATION, 43, 1, false},   // a routing header that has not come to its end (RFC 8200, 8.1)
        {11, SNAT_SOURCE, 43, 1, true},
        {10, SNAT_SOURCE, 44, 0xc9, false},     // a home address (RFC 6275, 11.3.1), behind a padding of 2 bytes
        {10, SNAT_DESTINATION, 44, 0xc9, true},
        {10, SNAT_SOURCE, 44, 0xc8, true},
    };
    for (const Row& row : rows) {
        Whole sent = wholes()[row.number];
        if (row.number == 10) {
            put(sent.bytes, 42, 0x100);
        }
        sent.bytes[row.at] = row.value;
        const std::size_t check = sent.headers[0].upper + sent.headers[0].check;
        Packet packet(sent.bytes, fixed(sent));
        ASSERT_EQ(translate(packet, row.side), 0);
        const Bytes got = packet.bytes();
        const bool follows = !std::equal(&got[check], &got[check] + 2, &sent.bytes[check]);
        EXPECT_EQ(follows, row.follows) << sent.why << ", side " << row.side;
    }
}

TEST(PacketSumsTest, OfNoneStayNone) {
    for (const std::size_t number : {0U, 7U}) {
        Whole sent = wholes()[number];
        const std::size_t check = sent.headers[0].upper + sent.headers[0].check;
        put(sent.bytes, check, 0);
        Packet packet(sent.bytes, sent.bytes.size());
        ASSERT_EQ(translate(packet, SNAT_SOURCE), 0);
        EXPECT_EQ(packet.bytes()[check] | packet.bytes()[check + 1], 0) << sent.why;
    }
}

TEST(PacketSumsTest, WhatIsForOneLinkIsLocal) {
    struct Row {
        std::size_t number, at;
        std::uint8_t first, second;
        bool local;
    };
    const std::vector<Row> rows = {
        {7, 8, 0xfe, 0x80, true}, {7, 24, 0xfe, 0x80, true}, {7, 24, 0xff, 2, true},   {7, 24, 0xfe, 0xc0, false},
        {7, 24, 0x20, 1, false},  {9, 40, 132, 0, false},    {9, 40, 133, 0, true},    {9, 40, 137, 0, true},
        {9, 40, 138, 0, false},
    };
    for (const Row& row : rows) {
        Whole sent = wholes()[row.number];
        sent.bytes[row.at] = row.first;
        sent.bytes[row.at + 1] = row.second;
        const Packet packet(sent.bytes, fixed(sent));
        EXPECT_EQ(snat_ipv6_is_local(&packet), row.local) << row.at << ": " << int{row.first};
    }
}

// Sums stay as they are, and so does all behind the addresses (RFC 6296).
TEST(PacketSumsTest, OfNeutralAddressesStay) {
    snat_target value = target(internal6);
    value.address.half.second = 0;
    for (const Whole& sent : wholes()) {
        for (const snat_side side : sides) {
            for (const std::uint8_t length : std::initializer_list<std::uint8_t>{16, 32, 48, 56, 64}) {
                for (const bool cloned : {false, true}) {
                    if (!sent.six()) {
                        continue;
                    }
                    snat_prefix prefix;
                    snat_prefix_init(&prefix, length);
                    Packet packet(sent.bytes, 40, cloned);
                    ASSERT_EQ(snat_ipv6_translate_npt(&packet, side, &prefix, &value.address), 0);
                    const Bytes got = packet.bytes();
                    const auto prefix_end = internal6.begin() + length / 8;
                    EXPECT_TRUE(std::equal(internal6.begin(), prefix_end, got.begin() + 8 + 16 * side));
                    EXPECT_EQ(sum(std::span(got).first(40)) % 0xffff, sum(std::span(sent.bytes).first(40)) % 0xffff);
                    EXPECT_TRUE(std::equal(got.begin() + 40, got.end(), sent.bytes.begin() + 40));
                }
            }
        }
    }
}

// Two words exchanged make another address of the same sum.
TEST(PacketSumsTest, OfErrorsWithNeutralAddressesStay) {
    const Whole sent = wholes()[14];
    Packet packet(sent.bytes, 40);
    snat_quote quote{};
    ASSERT_TRUE(snat_ipv6_quote(&packet, SNAT_SOURCE, &quote));
    snat_target to{quote.address, true};
    std::swap(to.address.word[0], to.address.word[7]);
    ASSERT_EQ(snat_ipv6_translate_error(&packet, SNAT_SOURCE, &to, &quote, &to), 0);
    Bytes wanted = sent.bytes;
    std::memcpy(wanted.data() + 8, &to.address, 16);
    std::memcpy(wanted.data() + sent.headers[1].at + 24, &to.address, 16);
    EXPECT_EQ(packet.bytes(), wanted);
}

}  // namespace
