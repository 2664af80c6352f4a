// SPDX-License-Identifier: GPL-2.0-or-later
#include "etcd/base64.hpp"

#include <algorithm>
#include <cctype>

#include <resolv.h>

namespace statnat {

std::string as_base64(std::string_view bytes) {
    std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');  // behind it, a zero byte
    ::b64_ntop(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), text.data(), text.size());
    text.pop_back();
    return text;
}

std::optional<std::string> from_base64(std::string_view text) {
    const auto is_space = [](unsigned char character) { return std::isspace(character) != 0; };
    if (std::any_of(text.begin(), text.end(), is_space)) {  // which it would skip
        return std::nullopt;
    }
    std::string bytes(text.size() / 4 * 3 + 1, '\0');
    const int size =
        ::b64_pton(std::string(text).c_str(), reinterpret_cast<unsigned char*>(bytes.data()), bytes.size());
    if (size < 0 || text.find('\0') != std::string_view::npos) {
        return std::nullopt;
    }
    bytes.resize(static_cast<std::size_t>(size));
    return bytes;
}

}  // namespace statnat
