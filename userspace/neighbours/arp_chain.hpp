// SPDX-License-Identifier: GPL-2.0-or-later
// The table of family arp that keeps the kernel from answering for all that it routes, where it answers by proxy_arp.
#pragma once

#include "neighbours/answers.hpp"

#include <string>

namespace statnat {

// As nft(8) would load it: requests for anything else are dropped. Empty where nothing is to be kept from anything.
std::string arp_table_text(const Answers& answers);

class ArpTable {
public:
    // `known` is what remember() told last.
    explicit ArpTable(std::string known);

    // Whether it is as the text has it. Throws CannotGoOn where somebody else has a table of this name, and one is
    // wanted.
    bool is(const std::string& text) const;
    // Puts the text in the place of what is there, or of nothing; an empty one deletes it. Throws CannotGoOn.
    void become(const std::string& text);

    std::string remember() const { return known_; }

private:
    bool is_ours() const;

    std::string known_;
    std::string listed_;  // empty: there is none
};

}  // namespace statnat
