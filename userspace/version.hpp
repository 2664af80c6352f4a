// SPDX-License-Identifier: GPL-2.0-or-later
// The version of this project, which its kernel module has as well.
#pragma once

#include <string_view>

namespace statnat {

extern const std::string_view version;  // "0.1.0"

}  // namespace statnat
