// SPDX-License-Identifier: GPL-2.0-or-later
// What the pairs that follow interfaces had from them when they were loaded last, so that it can be told whether they
// would have something else by now.
#pragma once

#include "config/configuration.hpp"
#include "records/run_file.hpp"

#include <string>
#include <vector>

namespace statnat {

// Without any, nothing is kept.
void remember(const RunFile& file, const std::vector<InterfacePair>& interface_pairs);

// A sentence for each that has another address or prefix by now, or has it again, or no longer.
std::vector<std::string> moved(const RunFile& file, const AskAddresses& ask);

// A sentence for each that waits.
std::vector<std::string> waiting(const RunFile& file);

}  // namespace statnat
