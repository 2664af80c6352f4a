// SPDX-License-Identifier: GPL-2.0-or-later
// The chains of each engine, rule by rule.
#pragma once

#include "ruleset/ruleset.hpp"

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

namespace statnat {

// What a configuration makes optional inside a rule.
struct Extras {
    bool by_set;  // whether destinations are asked for by a set
    bool rule_counter;
    std::uint32_t mark = 0;      // of what has come by these rules; 0: nobody asks
    std::vector<Prefix> destinations;  // that the expression itself compares
    bool only = false;  // whether these, or those of the set, are the only ones; or they are exempt
    std::vector<std::string> interfaces;  // behind which the outside is; none: behind any
    std::optional<Vrf> vrf{};             // that the inside is in
    bool follow = false;                  // whether conntrack keeps packets of pairs
    std::vector<Exception> exceptions{};  // of the family
    std::optional<Address> errors_as{};   // the source of errors of routers without a pair
    bool forward = false;                 // whether what is only to be passed on is sent at once
};

// The order of a table's maps is that in which they are asked.
std::vector<Chain> expression_chains(const Table& table, const Extras& extras);
std::vector<Chain> native_chains(const Table& table, const Extras& extras);

// What both are made of.

Rule make_rule(std::initializer_list<std::vector<Statement>> parts);
std::vector<Statement> unless_exempt(const Extras& extras);
std::vector<Statement> if_exempt(const Extras& extras);
std::vector<Statement> counted(const Extras& extras);

// A match of each name by which packets come from the inside: a VRF's port first, and then the VRF. One of nothing
// where it is in none.
std::vector<std::vector<Statement>> by_each_way_out(const Extras& extras);
std::vector<Statement> from_vrf(const Extras& extras);
// What comes for the inside is to be led there.
std::vector<Statement> to_vrf(const Extras& extras);

// What no pair is for goes on as if there were no rules, and so does what errors quote of it.
std::vector<Rule> exceptional(Family family, const Extras& extras);

// The ICMP errors that quote a packet which is on its way (RFC 792, RFC 4443).
std::vector<MatchIcmpType> icmp_errors(Family family);

// RFC 792, RFC 4861.
MatchIcmpType icmp_redirect(Family family);

}  // namespace statnat
