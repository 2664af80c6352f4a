// SPDX-License-Identifier: GPL-2.0-or-later
#include "interface_name.hpp"

#include <algorithm>
#include <cstddef>

namespace statnat {
namespace {

constexpr std::size_t longest_name = 15;  // IFNAMSIZ, less its zero

// What dev_valid_name() of net/core/dev.c refuses, and what nft could not write.
bool is_never_in_a_name(char character) {
    return character <= ' ' || character == 0x7f || character == '/' || character == ':' || character == '"';
}

}  // namespace

std::optional<std::string> objection_to_interface(std::string_view name) {
    if (name.empty() || name.size() > longest_name) {
        return "an interface has a name of 1 to " + std::to_string(longest_name) + " bytes";
    }
    if (const std::size_t asterisk = name.find('*'); asterisk == 0 || asterisk < name.size() - 1) {
        return "an asterisk stands for the rest of a name, behind its beginning";
    }
    if (name == "." || name == ".." || std::any_of(name.begin(), name.end(), is_never_in_a_name)) {
        return "no interface has such a name";
    }
    return {};
}

bool interface_covers(std::string_view pattern, std::string_view name) {
    return pattern.ends_with('*') ? name.starts_with(pattern.substr(0, pattern.size() - 1)) : pattern == name;
}

}  // namespace statnat
