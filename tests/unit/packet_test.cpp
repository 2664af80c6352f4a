// SPDX-License-Identifier: GPL-2.0-or-later
// The module's packet face (ipv4.c, ipv6.c and checksum.c as they are), on packets that a process still changes.
//
// Compiled with the address sanitizer: each part of a packet is an allocation of its own and has no byte too many.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

extern "C" {
#include "packet.h"
}

namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr std::array<std::uint8_t, 4> internal4 = {10, 0, 0, 2},
                                      external4 = {198, 51, 100, 2},
                                      peer4 = {203, 0, 113, 10};
constexpr std::array<std::uint8_t, 16> internal6 = {0xfd, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2},
                                       external6 = {0x20, 1, 0xd, 0xb8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2},
                                       peer6 = {0x20, 1, 0xd, 0xb8, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10};

template <class... Parts>
Bytes joined(const Parts&... parts) {
    Bytes whole;
    (whole.insert(whole.end(), std::begin(parts), std::end(parts)), ...);
    return whole;
}

Bytes ipv4(std::uint8_t protocol, const auto& source, const auto& destination, const Bytes& carried,
           const Bytes& options = {}) {
    const std::size_t header = 20 + options.size(), size = header + carried.size();
    return joined(Bytes{static_cast<std::uint8_t>(0x40 | header / 4), 0, static_cast<std::uint8_t>(size >> 8),
                        static_cast<std::uint8_t>(size), 0, 7, 0, 0, 64, protocol, 0x12, 0x34},
                  source, destination, options, carried);
}

Bytes ipv6(std::uint8_t protocol, const auto& source, const auto& destination, const Bytes& carried) {
    return joined(Bytes{0x60, 0, 0, 0, static_cast<std::uint8_t>(carried.size() >> 8),
                        static_cast<std::uint8_t>(carried.size()), protocol, 64},
                  source, destination, carried);
}

const Bytes udp = {0, 53, 0, 53, 0, 24, 0x56, 0x78, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
const Bytes tcp = {0, 80, 0, 80, 0, 0, 0, 1, 0, 0, 0, 2, 0x50, 0x10, 1, 0, 0x56, 0x78, 0, 0};

Bytes error(std::uint8_t type, const Bytes& quoted) {
    return joined(Bytes{type, 1, 0x9a, 0xbc, 0, 0, 0, 0}, quoted);
}

Bytes behind(const Bytes& extension, const Bytes& carried) {
    return joined(extension, carried);
}

// Extension headers of 8 bytes before a given protocol.
Bytes options(std::uint8_t next) {
    return {next, 0, 1, 4, 0, 0, 0, 0};
}

Bytes routing(std::uint8_t next) {
    return {next, 0, 4, 0, 0, 0, 0, 0};
}

// A packet in two parts, of which the second may change whenever the module looks at it.
class Packet : public sk_buff {
  public:
    using Change = std::function<void(unsigned look, std::span<std::uint8_t> fragment)>;

    Packet(const Bytes& bytes, std::size_t linear, bool is_cloned = false, Change change = {})
        : sk_buff{}, fragment_(copy(bytes)), change_(std::move(change)) {
        len = static_cast<unsigned>(bytes.size());
        cloned = is_cloned;
        take(linear, {});
    }

    void* pointer(unsigned offset, unsigned length, void* buffer) {
        look();
        if (offset > len || length > len - offset) {
            return nullptr;
        }
        if (offset + length <= skb_headlen(this)) {
            return data + offset;
        }
        for (unsigned i = 0; i < length; i++) {
            static_cast<std::uint8_t*>(buffer)[i] = at(offset + i);
        }
        return buffer;
    }

    int ensure_writable(unsigned length) {
        look();
        if (length > len) {
            return -ENOMEM;
        }
        if (length > skb_headlen(this) || cloned) {
            if (!has_memory) {
                return -ENOMEM;
            }
            Linear old = std::move(linear_);
            take(std::max(length, skb_headlen(this)), old);
            // Those of a clone stay its owner's.
            if (cloned) {
                clones_.push_back(std::move(old));
            }
            cloned = false;
        }
        return 0;
    }

    Bytes bytes() const {
        Bytes all;
        for (unsigned i = 0; i < len; i++) {
            all.push_back(at(i));
        }
        return all;
    }

    unsigned looks() const { return looks_; }

    bool has_memory = true;

    bool clones_are(const Bytes& original) const {
        return std::all_of(clones_.begin(), clones_.end(), [&](const Linear& clone) {
            return std::equal(clone.bytes.get(), clone.bytes.get() + clone.size, original.begin());
        });
    }

  private:
    struct Linear {
        std::unique_ptr<std::uint8_t[]> bytes;
        unsigned size = 0;
    };

    static std::unique_ptr<std::uint8_t[]> copy(const Bytes& bytes) {
        auto copied = std::make_unique<std::uint8_t[]>(bytes.size());
        std::copy(bytes.begin(), bytes.end(), copied.get());
        return copied;
    }

    std::uint8_t at(unsigned offset) const { return offset < skb_headlen(this) ? data[offset] : fragment_[offset]; }

    // So many bytes are linear now; those that were before stay what they are.
    void take(std::size_t size, const Linear& old) {
        Linear fresh{std::make_unique<std::uint8_t[]>(size), static_cast<unsigned>(size)};
        std::copy_n(fragment_.get(), size, fresh.bytes.get());
        std::copy_n(old.bytes.get(), old.size, fresh.bytes.get());
        linear_ = std::move(fresh);
        head = data = linear_.bytes.get();
        data_len = len - linear_.size;
    }

    void look() {
        looks_++;
        if (change_) {
            change_(looks_, {fragment_.get(), len});
        }
    }

    std::unique_ptr<std::uint8_t[]> fragment_;  // all of the packet, for simple offsets; the linear part is not used
    Linear linear_;
    std::vector<Linear> clones_;
    Change change_;
    unsigned looks_ = 0;
};

template <std::size_t Size>
snat_target target(const std::array<std::uint8_t, Size>& bytes) {
    snat_target target{};
    std::memcpy(&target.address, bytes.data(), Size);
    return target;
}

constexpr snat_side sides[] = {SNAT_SOURCE, SNAT_DESTINATION};

// As eval.c does it: an error by what it quotes, anything else by itself. The maps have every address.
int translate(Packet& packet, snat_side side = SNAT_DESTINATION, bool outer_has_pair = true) {
    const bool six = packet.data[0] >> 4 == 6;
    const snat_target to = six ? target(internal6) : target(internal4);
    const snat_target* outer = outer_has_pair ? &to : nullptr;
    snat_quote quote{};
    if (!six) {
        return snat_ipv4_quote(&packet, side, &quote) ? snat_ipv4_translate_error(&packet, side, outer, &quote, &to)
                                                      : snat_ipv4_translate(&packet, side, &to.address);
    }
    return snat_ipv6_quote(&packet, side, &quote) ? snat_ipv6_translate_error(&packet, side, outer, &quote, &to)
                                                  : snat_ipv6_translate(&packet, side, &to.address);
}

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

void* skb_header_pointer(const sk_buff* skb, int offset, int length, void* buffer) {
    auto& packet = const_cast<Packet&>(static_cast<const Packet&>(*skb));
    return packet.pointer(static_cast<unsigned>(offset), static_cast<unsigned>(length), buffer);
}

int skb_ensure_writable(sk_buff* skb, unsigned length) {
    return static_cast<Packet&>(*skb).ensure_writable(length);
}

void icmpv6_send(sk_buff*, __u8, __u8, __u32) {}
