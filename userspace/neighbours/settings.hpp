// SPDX-License-Identifier: GPL-2.0-or-later
// The kernel's settings of this network namespace, read and written below /proc/sys.
#pragma once

#include "neighbours/answers.hpp"
#include "neighbours/record.hpp"

#include <optional>
#include <string>

namespace statnat {

// Nothing where the kernel has no such setting, as of a device that is gone.
std::optional<std::string> read_setting(const std::string& name);

// Those that are wanted or were changed, as far as the kernel has them.
Settings read_settings(const Settings& wanted, const ChangedSettings& changed);

// Throws CannotGoOn.
void write_setting(const std::string& name, const std::string& value);

}  // namespace statnat
