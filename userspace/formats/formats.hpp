// SPDX-License-Identifier: GPL-2.0-or-later
// What can be imported, by the names that the command line has for it.
#pragma once

#include "importers/finding.hpp"

#include <span>
#include <string>
#include <string_view>

namespace statnat {

struct Format {
    std::string_view name;
    std::string_view what;  // a text of this format is
    Reading (*read)(std::string_view text);  // may throw NotOfThisFormat
};

std::span<const Format> all_formats();

// "static_nat, csv, ..."
std::string names_of_formats();

// Throws CannotGoOn.
const Format& find_format(std::string_view name);

}  // namespace statnat
