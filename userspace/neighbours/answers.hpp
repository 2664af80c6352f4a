// SPDX-License-Identifier: GPL-2.0-or-later
// What it takes for the external addresses of pairs to be answered for where others look for them; pure functions.
#pragma once

#include "neighbours/neighbourhood.hpp"
#include "pairs/pairs.hpp"
#include "pairs/ranges.hpp"

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace statnat {

// Up to so many addresses, each has a route or an entry of its own; beyond, they share.
inline constexpr std::size_t most_one_by_one = 4096;

// Where pairs of a family are translated there is a route to its beacon, for routing daemons to go by. Nobody has these
// addresses, nor sends anything there: the dummy address (RFC 7600), and one of the prefix to discard (RFC 6666).
inline constexpr std::string_view beacons[] = {"192.0.0.8", "100::8"};

// Settings of the kernel by their names below /proc/sys.
using Settings = std::map<std::string, std::string>;

struct Answers {
    std::set<Prefix> routes{};
    bool drained = false;  // the routes are not to be there, for a while
    std::set<Proxy> proxies{};
    std::map<int, std::vector<Range>> answered{};  // by the index of the link: for what addresses
    Settings settings{};
    // By the name of a link on which the kernel is to answer for all that it routes: what it may answer for.
    std::map<std::string, std::vector<Range>> passing{};
    // What the kernel cannot answer for, by the name of the link: of IPv6, whole prefixes.
    std::map<std::string, std::vector<Prefix>> for_ndppd{};
    // External addresses that are those of routers.
    std::vector<Address> of_routers{};
};

Answers answers(const Pairs& pairs, const Neighbourhood& around);

// Warnings, each a sentence.
std::vector<std::string> warnings(const Answers& answers);

}  // namespace statnat
