// SPDX-License-Identifier: GPL-2.0-or-later
#include "pairs/comment.hpp"

namespace statnat {

Comment::Comment(std::string_view text) : text_(text.empty() ? nullptr : std::make_unique<const std::string>(text)) {}

const std::string& Comment::text() const {
    static const std::string none;
    return text_ ? *text_ : none;
}

}  // namespace statnat
