// SPDX-License-Identifier: GPL-2.0-or-later
#include "pairs/pair.hpp"

namespace statnat {

std::string Pair::text() const {
    return internal.short_text() + " " + external.short_text() + (npt ? " npt" : "");
}

}  // namespace statnat
