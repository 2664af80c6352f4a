// SPDX-License-Identifier: GPL-2.0-or-later
#include "etcd/base64.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace statnat {
namespace {

constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr char padding = '=';
constexpr std::uint8_t no_digit = 64;

constexpr std::array<std::uint8_t, 256> numbers = [] {
    std::array<std::uint8_t, 256> table{};
    table.fill(no_digit);
    for (std::size_t i = 0; i < digits.size(); ++i) {
        table[static_cast<unsigned char>(digits[i])] = static_cast<std::uint8_t>(i);
    }
    return table;
}();

}  // namespace

std::string as_base64(std::string_view bytes) {
    std::string text;
    text.reserve((bytes.size() + 2) / 3 * 4);
    for (; !bytes.empty(); bytes.remove_prefix(bytes.size() < 3 ? bytes.size() : 3)) {
        const auto byte = [&](std::size_t i) {
            return i < bytes.size() ? static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[i])) : 0;
        };
        const std::uint32_t three = byte(0) << 16 | byte(1) << 8 | byte(2);
        text += digits[three >> 18];
        text += digits[three >> 12 & 63];
        text += bytes.size() > 1 ? digits[three >> 6 & 63] : padding;
        text += bytes.size() > 2 ? digits[three & 63] : padding;
    }
    return text;
}

std::optional<std::string> from_base64(std::string_view text) {
    if (text.size() % 4 != 0) {
        return std::nullopt;
    }
    const std::size_t pads = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
    text.remove_suffix(pads);
    std::string bytes;
    bytes.reserve(text.size() / 4 * 3 + 2);
    std::uint32_t kept = 0;
    unsigned bits = 0;
    for (const char character : text) {
        const std::uint8_t number = numbers[static_cast<unsigned char>(character)];
        if (number == no_digit) {
            return std::nullopt;
        }
        kept = kept << 6 | number;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            bytes += static_cast<char>(kept >> bits & 0xff);
        }
    }
    const bool has_rest = (kept & ((1U << bits) - 1)) != 0;  // bits of no byte, which are 0
    return has_rest ? std::nullopt : std::optional(std::move(bytes));
}

}  // namespace statnat
