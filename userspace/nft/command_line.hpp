// SPDX-License-Identifier: GPL-2.0-or-later
// The command line of nft(8).
#pragma once

#include <string>
#include <vector>

namespace statnat {

// `words` begins with the name that nft's messages begin with. Returns the exit status.
int nft(std::vector<std::string> words);

}  // namespace statnat
