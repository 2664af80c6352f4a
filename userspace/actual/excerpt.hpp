// SPDX-License-Identifier: GPL-2.0-or-later
// Of our tables as much as has to do with one pair, asked for element by element: a dump takes the kernel n² steps.
//
// That is the pairs that cover a side of it, or that are where such a pair would take it, and of each kind of pairs one
// more, since rules are about kinds. Of each of these pairs all elements are there.
#pragma once

#include "netlink/netlink.hpp"
#include "pairs/overlaps.hpp"
#include "wire/decoder.hpp"

#include <functional>
#include <memory>
#include <set>
#include <tuple>
#include <vector>

namespace statnat {

class Excerpt {
public:
    // Of tables that have been read but for the elements of their maps. `open` is for questions whose answer nobody
    // reads to its end.
    Excerpt(Netlink& netlink, std::function<std::unique_ptr<Socket>()> open, const Ruleset& tables, std::string name);

    // Around a pair that is to come or to go, as far as it is known; false: whoever wants to know must read all.
    bool take(const Candidate& pair);

    Ruleset finish();

private:
    // A map of a table.
    struct Place {
        TableDecoder& decoder;
        std::size_t map;

        const Map& get() const { return decoder.so_far().maps[map]; }
        Family family() const { return decoder.so_far().family; }
        std::uint8_t length() const;
    };

    std::vector<Place> places();
    bool take_another(const Place& place, const Candidate& pair);
    void spread(const Candidate& from);
    void look(const Prefix& prefix);
    void ask(const Place& place, const Address& key);
    void meet(const Candidate& candidate);

    Netlink& netlink_;
    std::function<std::unique_ptr<Socket>()> open_;
    std::string name_;  // of the tables
    std::vector<TableDecoder> decoders_;
    std::vector<Candidate> met_;
    std::set<std::tuple<Family, std::string, Address>> asked_;
};

}  // namespace statnat
