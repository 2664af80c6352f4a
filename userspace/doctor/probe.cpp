// SPDX-License-Identifier: GPL-2.0-or-later
#include "doctor/probe.hpp"

#include <initializer_list>
#include <random>

#include <fmt/format.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

namespace statnat {
namespace {

// One for this machine, one that it leaves with, should it ever: the next router ends it.
constexpr std::uint8_t hop_limit = 2;
constexpr std::uint8_t tcp_size = 20;
constexpr std::uint16_t first_port = 49152;  // RFC 6335
// An address of Ethernet's that is nobody's.
constexpr std::array<std::uint8_t, 6> nobody{0x02, 0, 0, 0x53, 0x4e, 0x41};

void append(Bytes& bytes, std::initializer_list<unsigned> values) {
    for (const unsigned value : values) {
        bytes.push_back(static_cast<std::uint8_t>(value));
    }
}

void append(Bytes& bytes, Message more) {
    bytes.insert(bytes.end(), more.begin(), more.end());
}

void append(Bytes& bytes, const Address& address) {
    append(bytes, Message(address.bytes.data(), address.size()));
}

// RFC 1071, of an even number of bytes.
std::uint32_t sum(Message bytes) {
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) {
        sum += static_cast<std::uint32_t>(bytes[i] << 8 | bytes[i + 1]);
    }
    return sum;
}

void put_checksum(Bytes& bytes, std::size_t at, std::uint32_t sum) {
    while (sum >> 16 != 0) {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    bytes[at] = static_cast<std::uint8_t>(~sum >> 8);
    bytes[at + 1] = static_cast<std::uint8_t>(~sum);
}

Bytes segment(const Probe& probe, const Mark& mark) {
    const bool asks = probe.way == Way::outbound;
    const unsigned from = asks ? mark.inside_port : outside_port;
    const unsigned to = asks ? outside_port : mark.inside_port;
    const unsigned flags = asks ? TH_SYN : TH_SYN | TH_ACK;
    Bytes bytes;
    append(bytes, {from >> 8, from, to >> 8, to, 0, 0, 0, 1, 0, 0, 0, asks ? 0U : 1U});
    append(bytes, {tcp_size / 4 << 4, flags, 0xff, 0xff, 0, 0, 0, 0});
    append(bytes, mark.payload);
    const auto ends = [](const Address& address) { return sum(Message(address.bytes.data(), address.size())); };
    put_checksum(bytes, offsetof(tcphdr, th_sum),
                 sum(bytes) + ends(probe.source()) + ends(probe.target()) + IPPROTO_TCP +
                     static_cast<std::uint32_t>(bytes.size()));
    return bytes;
}

Bytes header(const Probe& probe, std::size_t carried) {
    Bytes bytes;
    const auto size = static_cast<unsigned>(carried);
    if (probe.family() == Family::ipv6) {
        append(bytes, {0x60, 0, 0, 0, size >> 8, size, IPPROTO_TCP, hop_limit});
        append(bytes, probe.source());
        append(bytes, probe.target());
        return bytes;
    }
    const unsigned whole = size + 20;
    append(bytes, {0x45, 0, whole >> 8, whole, 0, 0, 0x40, 0, hop_limit, IPPROTO_TCP, 0, 0});
    append(bytes, probe.source());
    append(bytes, probe.target());
    put_checksum(bytes, 10, sum(bytes));
    return bytes;
}

}  // namespace

std::string Probe::text() const {
    return way == Way::outbound ? fmt::format("what {} sends to {}", internal.text(), outside.text())
                                : fmt::format("what {} answers {}", outside.text(), external.text());
}

Mark Mark::random() {
    std::random_device random;
    Mark mark;
    for (std::uint8_t& byte : mark.payload) {
        byte = static_cast<std::uint8_t>(random());
    }
    mark.inside_port = static_cast<std::uint16_t>(first_port + random() % (65536 - first_port));
    return mark;
}

Bytes frame(const Probe& probe, const Mark& mark) {
    const Bytes carried = segment(probe, mark);
    const unsigned type = probe.family() == Family::ipv4 ? ETHERTYPE_IP : ETHERTYPE_IPV6;
    Bytes bytes;
    append(bytes, probe.device.hardware);
    append(bytes, nobody);
    append(bytes, {type >> 8, type});
    append(bytes, header(probe, carried.size()));
    append(bytes, carried);
    return bytes;
}

}  // namespace statnat
