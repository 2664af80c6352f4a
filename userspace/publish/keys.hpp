// SPDX-License-Identifier: GPL-2.0-or-later
// What a source is called key by key. Those beside the pairs do not begin as the keys of pairs do, so that gateways,
// which follow these, are not told of them:
//
//     /statnat/default/10.0.0.2                  = 198.51.100.2    a pair
//     /statnat/default@external/198.51.100.2     = 10.0.0.2        whose its external side is, and nobody else's
//     /statnat/default@prefixes                                    there if any pair is of prefixes
//     /statnat/default@last                      = HOST            who published last
//
// One they are told of, with the pairs that it is about:
//
//     /statnat/default/@removed                  = 3               how many pairs were taken away on purpose, ever
#pragma once

#include "config/source_table.hpp"
#include "pairs/prefix.hpp"

#include <string>
#include <string_view>

namespace statnat {

class SourceKeys {
public:
    // The prefix of pairs, with a slash at its end.
    explicit SourceKeys(std::string prefix) : prefix_(std::move(prefix)), base_(prefix_, 0, prefix_.size() - 1) {}

    const std::string& prefix() const { return prefix_; }
    std::string pair(std::string_view internal) const { return prefix_ + std::string(internal); }
    std::string pair(const Prefix& internal) const { return pair(internal.short_text()); }
    std::string external(std::string_view side) const { return base_ + "@external/" + std::string(side); }
    std::string external(const Prefix& side) const { return external(side.short_text()); }
    std::string removed() const { return prefix_ + std::string(removed_key); }
    std::string prefixes() const { return base_ + "@prefixes"; }
    std::string last() const { return base_ + "@last"; }

private:
    std::string prefix_;
    std::string base_;
};

}  // namespace statnat
