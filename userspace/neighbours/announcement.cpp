// SPDX-License-Identifier: GPL-2.0-or-later
#include "neighbours/announcement.hpp"

#include "error.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <initializer_list>
#include <thread>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace statnat {
namespace {

// A thousand a second.
constexpr std::size_t at_once = 10;
constexpr std::chrono::milliseconds pause(10);

constexpr std::uint8_t hop_limit = 255;  // what has passed a router is ignored
constexpr std::uint8_t advertisement_size = 32;

void append(Bytes& frame, std::initializer_list<std::uint8_t> bytes) {
    frame.insert(frame.end(), bytes);
}

void append(Bytes& frame, Message bytes) {
    frame.insert(frame.end(), bytes.begin(), bytes.end());
}

Message bytes_of(const Address& address) {
    return {address.bytes.data(), address.size()};
}

// RFC 1071, of an even number of bytes.
std::uint32_t sum(Message bytes) {
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) {
        sum += static_cast<std::uint32_t>(bytes[i] << 8 | bytes[i + 1]);
    }
    return sum;
}

Bytes arp(const Address& address, const Hardware& hardware) {
    Bytes frame(6, 0xff);
    append(frame, hardware);
    append(frame, {0x08, 0x06, 0, 1, 0x08, 0, 6, 4, 0, 1});  // a request of Ethernet's for an IPv4 address
    append(frame, hardware);
    append(frame, bytes_of(address));
    append(frame, Hardware{});
    append(frame, bytes_of(address));
    return frame;
}

Bytes ndp(const Address& address, const Hardware& hardware) {
    const Address all_nodes = *Address::parse("ff02::1");
    Bytes frame{0x33, 0x33, 0, 0, 0, 1};
    append(frame, hardware);
    append(frame, {0x86, 0xdd, 0x60, 0, 0, 0, 0, advertisement_size, IPPROTO_ICMPV6, hop_limit});
    const std::size_t addresses = frame.size();
    append(frame, bytes_of(address));
    append(frame, bytes_of(all_nodes));
    const std::size_t begin = frame.size();
    append(frame, {ND_NEIGHBOR_ADVERT, 0, 0, 0, 0x20, 0, 0, 0});  // override, and neither router nor solicited
    append(frame, bytes_of(address));
    append(frame, {ND_OPT_TARGET_LINKADDR, 1});
    append(frame, hardware);
    std::uint32_t total = sum(Message(frame).subspan(addresses)) + advertisement_size + IPPROTO_ICMPV6;
    total = (total & 0xffff) + (total >> 16);
    total = ~((total & 0xffff) + (total >> 16));
    frame[begin + 2] = static_cast<std::uint8_t>(total >> 8);
    frame[begin + 3] = static_cast<std::uint8_t>(total);
    return frame;
}

class PacketSocket {
public:
    PacketSocket() : descriptor_(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0)) {
        if (descriptor_ < 0) {
            throw CannotGoOn{fmt::format("cannot open a packet socket to announce addresses: {}",
                                         std::strerror(errno))};
        }
    }
    ~PacketSocket() { ::close(descriptor_); }
    PacketSocket(const PacketSocket&) = delete;
    PacketSocket& operator=(const PacketSocket&) = delete;

    void send(const Bytes& frame, int link, const std::string& name) const {
        sockaddr_ll to{};
        to.sll_family = AF_PACKET;
        to.sll_ifindex = link;
        const auto* address = reinterpret_cast<const sockaddr*>(&to);
        while (::sendto(descriptor_, frame.data(), frame.size(), 0, address, sizeof to) < 0) {
            if (errno == ENOBUFS || errno == EINTR) {
                std::this_thread::sleep_for(pause);
                continue;
            }
            throw CannotGoOn{fmt::format("cannot announce addresses on {}: {}", name, std::strerror(errno))};
        }
    }

private:
    int descriptor_;
};

}  // namespace

Bytes announcement(const Address& address, const Hardware& hardware) {
    return address.family == Family::ipv4 ? arp(address, hardware) : ndp(address, hardware);
}

std::size_t announce(const Answers& answers, const Neighbourhood& around) {
    const PacketSocket socket;
    std::size_t sent = 0;
    for (const auto& [index, ranges] : answers.answered) {
        const Link& link = around.links.at(index);
        for (const Range& range : ranges) {
            for (std::optional<Address> at = range.first; at && *at <= range.last; at = next(*at)) {
                socket.send(announcement(*at, link.hardware), index, link.name);
                if (++sent % at_once == 0) {
                    std::this_thread::sleep_for(pause);
                }
            }
        }
    }
    return sent;
}

}  // namespace statnat
