// SPDX-License-Identifier: GPL-2.0-or-later
#include "pairs/pair.hpp"

#include "printable.hpp"

namespace statnat {

std::string Pair::text() const {
    return internal.short_text() + " " + external.short_text() + (kind().empty() ? "" : " ") + std::string(kind());
}

std::string_view Pair::kind() const {
    return npt ? "npt" : inbound ? "inbound" : "";
}

std::string with_comment(const Pair& pair) {
    return pair.text() + (pair.comment.empty() ? "" : " # " + printable(pair.comment.text()));
}

}  // namespace statnat
