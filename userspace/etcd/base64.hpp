// SPDX-License-Identifier: GPL-2.0-or-later
// Base64 (RFC 4648, 4), in which etcd's JSON has keys and values.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace statnat {

std::string as_base64(std::string_view bytes);

// Nothing where the text is none, padding and all.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace statnat
