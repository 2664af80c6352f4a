// SPDX-License-Identifier: GPL-2.0-or-later
// Prefixes exchanged, and the words of RFC 6296.
#include "pairs/translation.hpp"

#include <algorithm>

namespace statnat {
namespace {

constexpr std::uint8_t subnet_word = 3;  // the one that is adjusted for prefixes up to 48 bits
constexpr std::uint8_t first_identifier_word = 4;
constexpr std::uint8_t words = 8;

std::uint16_t word(const Address& address, std::uint8_t index) {
    return static_cast<std::uint16_t>(address.bytes[2U * index] << 8 | address.bytes[2U * index + 1U]);
}

void set_word(Address& address, std::uint8_t index, std::uint16_t value) {
    address.bytes[2U * index] = static_cast<std::uint8_t>(value >> 8);
    address.bytes[2U * index + 1U] = static_cast<std::uint8_t>(value);
}

// In one's complement (RFC 1071).
std::uint16_t sum(std::uint16_t a, std::uint16_t b) {
    const std::uint32_t total = std::uint32_t{a} + b;
    return static_cast<std::uint16_t>((total & 0xffff) + (total >> 16));
}

std::uint16_t sum(const Prefix& prefix) {
    std::uint16_t total = 0;
    for (std::uint8_t i = 0; i < first_identifier_word; ++i) {
        total = sum(total, word(prefix.address, i));
    }
    return total;
}

// RFC 6296, 3.1 and 3.4: what the prefix lost, the word gains.
std::uint16_t adjusted(std::uint16_t value, const Translation& translation) {
    const auto taken = static_cast<std::uint16_t>(~sum(translation.to));
    const std::uint16_t result = sum(value, sum(sum(translation.from), taken));
    return result == 0xffff ? std::uint16_t{0} : result;
}

// `part` with its leading bits replaced.
Prefix with_prefix(const Prefix& prefix, Prefix part) {
    const Address leading = Prefix::of(part.address, prefix.length).address;
    for (std::size_t i = 0; i < part.address.size(); ++i) {
        part.address.bytes[i] = static_cast<std::uint8_t>((part.address.bytes[i] ^ leading.bytes[i]) |
                                                          prefix.address.bytes[i]);
    }
    return part;
}

bool has_word(const Prefix& part, std::uint8_t index) {
    return part.length >= 16 * (index + 1);
}

Counterpart adjust(const Translation& translation, Prefix part, std::uint8_t index) {
    set_word(part.address, index, adjusted(word(part.address, index), translation));
    return {Fate::one, with_prefix(translation.to, part)};
}

// RFC 6296, 3.4, 3.5 and 3.7, but for the interface identifier of all zeros.
Counterpart translate_neutrally(const Translation& translation, const Prefix& part) {
    const bool adjusts_subnet = translation.from.length <= 48;
    if (part.length <= (adjusts_subnet ? 48 : 64)) {
        return {Fate::one, with_prefix(translation.to, part)};
    }
    if (adjusts_subnet) {
        if (!has_word(part, subnet_word)) {
            return {Fate::scattered, {}};
        }
        return word(part.address, subnet_word) == 0xffff ? Counterpart{Fate::subnet, {}}
                                                         : adjust(translation, part, subnet_word);
    }
    for (std::uint8_t index = first_identifier_word; index < words; ++index) {
        if (!has_word(part, index)) {
            return {Fate::scattered, {}};
        }
        if (word(part.address, index) != 0xffff) {
            return adjust(translation, part, index);
        }
    }
    return {Fate::identifier, {}};
}

bool is_anycast(const Prefix& part) {
    const auto& bytes = part.address.bytes;
    return part.is_host() && std::all_of(bytes.begin() + 2 * first_identifier_word, bytes.end(),
                                         [](std::uint8_t byte) { return byte == 0; });
}

}  // namespace

Translation translation(const Pair& pair, Side from) {
    return {pair.side(from), pair.side(other(from)), pair.npt};
}

Counterpart translate(const Translation& translation, const Prefix& part) {
    if (!translation.npt) {
        return {Fate::one, with_prefix(translation.to, part)};
    }
    return is_anycast(part) ? Counterpart{Fate::identifier, {}} : translate_neutrally(translation, part);
}

Counterpart origin(const Translation& translation, const Prefix& part) {
    if (!translation.npt) {
        return translate(translation.reversed(), part);
    }
    const Counterpart back = translate_neutrally(translation.reversed(), part);
    if (back.fate != Fate::one || translate(translation, back.prefix).fate == Fate::one) {
        return back;
    }
    return {Fate::identifier, {}};
}

}  // namespace statnat
