// SPDX-License-Identifier: GPL-2.0-or-later
// The first configuration of a gateway, with what was found there as comments.
#pragma once

#include "start/site.hpp"

#include <string>
#include <vector>

namespace statnat {

std::string first_file(const Site& site);

// "wan0, wan1"
std::string names_of(const std::vector<Segment>& segments);

}  // namespace statnat
