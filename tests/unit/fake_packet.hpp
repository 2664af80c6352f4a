// SPDX-License-Identifier: GPL-2.0-or-later
// Packets for the module's packet face: a fake sk_buff whose parts are allocations without a byte too many.
#ifndef STATNAT_TESTS_FAKE_PACKET_HPP
#define STATNAT_TESTS_FAKE_PACKET_HPP

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

namespace fake {

using Bytes = std::vector<std::uint8_t>;

inline constexpr std::array<std::uint8_t, 4> internal4 = {10, 0, 0, 2},
                                      external4 = {198, 51, 100, 2},
                                      peer4 = {203, 0, 113, 10};
inline constexpr std::array<std::uint8_t, 16> internal6 = {0xfd, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2},
                                       external6 = {0x20, 1, 0xd, 0xb8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2},
                                       peer6 = {0x20, 1, 0xd, 0xb8, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10};

template <class... Parts>
Bytes joined(const Parts&... parts) {
    Bytes whole;
    (whole.insert(whole.end(), std::begin(parts), std::end(parts)), ...);
    return whole;
}

inline Bytes ipv4(std::uint8_t protocol, const auto& source, const auto& destination, const Bytes& carried,
           const Bytes& options = {}) {
    const std::size_t header = 20 + options.size(), size = header + carried.size();
    return joined(Bytes{static_cast<std::uint8_t>(0x40 | header / 4), 0, static_cast<std::uint8_t>(size >> 8),
                        static_cast<std::uint8_t>(size), 0, 7, 0, 0, 64, protocol, 0x12, 0x34},
                  source, destination, options, carried);
}

inline Bytes ipv6(std::uint8_t protocol, const auto& source, const auto& destination, const Bytes& carried) {
    return joined(Bytes{0x60, 0, 0, 0, static_cast<std::uint8_t>(carried.size() >> 8),
                        static_cast<std::uint8_t>(carried.size()), protocol, 64},
                  source, destination, carried);
}

inline const Bytes udp = {0, 53, 0, 53, 0, 24, 0x56, 0x78, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
inline const Bytes tcp = {0, 80, 0, 80, 0, 0, 0, 1, 0, 0, 0, 2, 0x50, 0x10, 1, 0, 0x56, 0x78, 0, 0};

inline Bytes error(std::uint8_t type, const Bytes& quoted) {
    return joined(Bytes{type, 1, 0x9a, 0xbc, 0, 0, 0, 0}, quoted);
}

inline Bytes behind(const Bytes& extension, const Bytes& carried) {
    return joined(extension, carried);
}

// Extension headers of 8 bytes before a given protocol.
inline Bytes options(std::uint8_t next) {
    return {next, 0, 1, 4, 0, 0, 0, 0};
}

inline Bytes routing(std::uint8_t next) {
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

inline constexpr snat_side sides[] = {SNAT_SOURCE, SNAT_DESTINATION};

// As eval.c does it: an error by what it quotes, anything else by itself. The maps have every address.
inline int translate(Packet& packet, snat_side side = SNAT_DESTINATION, bool outer_has_pair = true) {
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

}  // namespace fake

#endif
