// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/digest.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include <fmt/format.h>
#include <sha256.h>

namespace statnat {

std::string sha256(std::string_view bytes) {
    std::array<char, SHA256_DIGEST_STRING_LENGTH> text{};
    return ::SHA256Data(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size(), text.data());
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
