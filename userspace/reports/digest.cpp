// SPDX-License-Identifier: GPL-2.0-or-later
// By hand, since a library of cryptography would be in each run of the tool, and nothing here is secret.
#include "reports/digest.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <fmt/format.h>

namespace statnat {
namespace {

__extension__ using Wide = unsigned __int128;

constexpr std::array<std::uint32_t, 64> primes = [] {
    std::array<std::uint32_t, 64> found{};
    std::size_t count = 0;
    for (std::uint32_t number = 2; count < found.size(); ++number) {
        bool is_prime = true;
        for (std::size_t i = 0; i < count; ++i) {
            is_prime = is_prime && number % found[i] != 0;
        }
        if (is_prime) {
            found[count++] = number;
        }
    }
    return found;
}();

// The first 32 bits behind the point of the root of a prime, square or cube.
constexpr std::uint32_t fraction_of_root(std::uint32_t prime, unsigned power) {
    const Wide radicand = static_cast<Wide>(prime) << 32 * power;
    Wide root = 0;
    for (unsigned bit = 37; bit-- > 0;) {  // no root of these primes is 32 or more
        const Wide more = root | static_cast<Wide>(1) << bit;
        if ((power == 2 ? more * more : more * more * more) <= radicand) {
            root = more;
        }
    }
    return static_cast<std::uint32_t>(root);
}

template <std::size_t count>
constexpr std::array<std::uint32_t, count> fractions(unsigned power) {
    std::array<std::uint32_t, count> words{};
    for (std::size_t i = 0; i < count; ++i) {
        words[i] = fraction_of_root(primes[i], power);
    }
    return words;
}

using State = std::array<std::uint32_t, 8>;

constexpr State first_state = fractions<8>(2);
constexpr std::array<std::uint32_t, 64> round_words = fractions<64>(3);
constexpr std::size_t block_size = 64;

void take_block(State& state, const unsigned char* block) {
    std::array<std::uint32_t, 64> words{};
    for (std::size_t i = 0; i < 16; ++i) {
        for (std::size_t byte = 0; byte < 4; ++byte) {
            words[i] = words[i] << 8 | block[4 * i + byte];
        }
    }
    for (std::size_t i = 16; i < 64; ++i) {
        const std::uint32_t near = words[i - 2];
        const std::uint32_t far = words[i - 15];
        words[i] = words[i - 16] + words[i - 7] + (std::rotr(far, 7) ^ std::rotr(far, 18) ^ far >> 3) +
                   (std::rotr(near, 17) ^ std::rotr(near, 19) ^ near >> 10);
    }
    auto [a, b, c, d, e, f, g, h] = state;
    for (std::size_t i = 0; i < 64; ++i) {
        const std::uint32_t one = h + (std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25)) + ((e & f) ^ (~e & g)) +
                                  round_words[i] + words[i];
        const std::uint32_t two =
            (std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
        h = g;
        g = f;
        f = e;
        e = d + one;
        d = c;
        c = b;
        b = a;
        a = one + two;
    }
    const State rounds{a, b, c, d, e, f, g, h};
    for (std::size_t i = 0; i < state.size(); ++i) {
        state[i] += rounds[i];
    }
}

}  // namespace

std::string sha256(std::string_view bytes) {
    State state = first_state;
    const auto take = [&](std::string_view whole_blocks) {
        for (std::size_t at = 0; at + block_size <= whole_blocks.size(); at += block_size) {
            take_block(state, reinterpret_cast<const unsigned char*>(whole_blocks.data()) + at);
        }
    };
    take(bytes);
    std::string end(bytes.substr(bytes.size() / block_size * block_size));
    end += '\x80';
    end.resize((end.size() + 8 + block_size - 1) / block_size * block_size);
    for (std::size_t i = 0; i < 8; ++i) {
        end[end.size() - 1 - i] = static_cast<char>(8 * static_cast<std::uint64_t>(bytes.size()) >> 8 * i);
    }
    take(end);
    std::string text;
    for (const std::uint32_t word : state) {
        text += fmt::format("{:08x}", word);
    }
    return text;
}

std::string digest(const Pairs& pairs) {
    std::vector<std::string> lines;
    lines.reserve(pairs.size());
    for (const Pair& pair : pairs) {
        lines.push_back(
            fmt::format("{},{},{}\n", pair.internal.short_text(), pair.external.short_text(), pair.kind()));
    }
    std::sort(lines.begin(), lines.end());
    std::string all;
    for (const std::string& line : lines) {
        all += line;
    }
    return sha256(all);
}

}  // namespace statnat
