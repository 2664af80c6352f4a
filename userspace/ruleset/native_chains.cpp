// SPDX-License-Identifier: GPL-2.0-or-later
// What stock rules can do of it.
#include "ruleset/chains.hpp"

#include <initializer_list>

namespace statnat {
namespace {

constexpr std::string_view native_comment = "made by statnat-nft, do not edit";

using Way = MatchInterface::Way;

// A match of each interface; one of nothing where none are named.
std::vector<std::vector<Statement>> by_each_interface(Way way, const Extras& extras) {
    std::vector<std::vector<Statement>> matches;
    for (const std::string& name : extras.interfaces) {
        matches.push_back({MatchInterface{way, name}});
    }
    return matches.empty() ? std::vector<std::vector<Statement>>{{}} : matches;
}

// RFC 3927 and RFC 4291: what is said from or to these stays on its link.
MatchOutside unless_on_link(Family family, Field field) {
    return {field, *Prefix::parse(family == Family::ipv4 ? "169.254.0.0/16" : "fe80::/10")};
}

// To one station that is none of this machine's, and not on the link only.
std::vector<Statement> abroad(Family family) {
    return {MatchAddressType{Field::destination, MatchAddressType::Type::unicast},
            unless_on_link(family, Field::destination)};
}

// Stock rules cannot see in postrouting what prerouting decided, but decide once more by what is to be seen there. What
// a bridge passes on has come in nowhere, and is not from here.
std::vector<Rule> native_postrouting(Family family, const Extras& extras) {
    const MatchAddress has_pair{Field::source, std::string(internal_set)};
    const SetAddress outbound{Field::source, std::string(int2ext)};
    const MatchAddressType own{Field::source, MatchAddressType::Type::local};
    // ct state switches conntrack on, so it is there only when something has to stay tracked; what does is told by its
    // interface, where that is to be had.
    const std::vector<Statement> untracked{MatchUntracked{}};
    const bool by_state = (extras.by_set && extras.interfaces.empty()) || !extras.exceptions.empty();
    const std::vector<Statement> state = by_state ? untracked : std::vector<Statement>{};
    const auto rule = [&](std::initializer_list<std::vector<Statement>> conditions) {
        return make_rule({make_rule(conditions).statements, abroad(family), {outbound}, counted(extras)});
    };
    const std::vector<Statement> from = from_vrf(extras);
    std::vector<Rule> rules;
    for (const std::vector<Statement>& out : by_each_interface(Way::out, extras)) {
        rules.push_back(rule({{MatchForwarded{true}}, from, out, {has_pair}, state, unless_exempt(extras)}));
        if (!extras.vrf) {
            rules.push_back(rule({{MatchForwarded{false}}, out, {has_pair, own}, state, unless_exempt(extras)}));
        }
    }
    // Hairpin, also by way of a bridge: only what was sent to an external address is untracked on its way to a host
    // that has a pair.
    const MatchAddress to_internal{.field = Field::destination, .set = std::string(internal_set)};
    if (!extras.interfaces.empty()) {
        rules.push_back(rule({{has_pair}, untracked, {to_internal}}));
    } else if (extras.by_set) {
        rules.push_back(rule({from, {has_pair}, untracked, if_exempt(extras), {to_internal}}));
    }
    return rules;
}

// The kernel takes what a later fragment of IPv4 begins with for a type as well (nft_payload_fast_eval() of
// net/netfilter/nf_tables_core.c, seen on 6.18).
std::vector<Statement> redirect(Family family) {
    std::vector<Statement> matches{icmp_redirect(family)};
    if (family == Family::ipv4) {
        matches.emplace_back(MatchBeginning{});
    }
    return matches;
}

// What translates a destination, map by map: an address is in one of them.
std::vector<SetAddress> by_each_external(const Table& table) {
    std::vector<SetAddress> found;
    for (const Map& map : table.maps) {
        if (const auto role = MapRole::of(map, table.family); role && role->key == Side::external) {
            found.push_back({Field::destination, map.name});
        }
    }
    return found;
}

std::vector<Rule> native_prerouting(const Table& table, const Extras& extras) {
    const Family family = table.family;
    // A lookup in int2ext would count each outbound packet twice.
    const MatchAddress has_pair{Field::source, std::string(internal_set)};
    const MatchOutside routable = unless_on_link(family, Field::source);
    const MatchAddress to_internal{Field::destination, std::string(internal_set)};
    std::vector<Rule> rules = exceptional(family, extras);
    for (const SetAddress& inbound : by_each_external(table)) {
        for (const std::vector<Statement>& in : by_each_interface(Way::in, extras)) {
            rules.push_back(make_rule({in, {routable, inbound, Notrack{}}, to_vrf(extras), counted(extras)}));
        }
        if (!extras.interfaces.empty()) {
            rules.push_back(make_rule({{has_pair, routable, inbound, Notrack{}}, counted(extras)}));
        }
    }
    rules.push_back(make_rule({redirect(family), {to_internal, Drop{}}}));
    // What is for the gateway itself stays tracked.
    for (const std::vector<Statement>& from : by_each_way_out(extras)) {
        for (const std::vector<Statement>& route : by_each_interface(Way::route, extras)) {
            rules.push_back(make_rule({from, {has_pair}, unless_exempt(extras), abroad(family), route, {Notrack{}}}));
        }
    }
    return rules;
}

std::vector<Rule> native_output(Family family, const Extras& extras) {
    const MatchAddress has_pair{Field::source, std::string(internal_set)};
    // What the gateway's own redirects are about is in their quote, of which stock rules can only ask what a listing of
    // nft could not be loaded with: it sends none at all.
    std::vector<Rule> rules{make_rule({redirect(family), {Drop{}}})};
    if (extras.vrf) {
        return rules;  // what it sends is nobody's inside
    }
    for (const std::vector<Statement>& out : by_each_interface(Way::out, extras)) {
        rules.push_back(make_rule({out, {has_pair}, unless_exempt(extras), {Notrack{}}}));
    }
    return rules;
}

}  // namespace

std::vector<Chain> native_chains(const Table& table, const Extras& extras) {
    const Family family = table.family;
    const std::string comment{native_comment};
    return {
        {"prerouting", Hook::prerouting, ChainType::filter, raw_priority, comment, native_prerouting(table, extras)},
        {"postrouting", Hook::postrouting, ChainType::filter, raw_priority, comment,
         native_postrouting(family, extras)},
        {"output", Hook::output, ChainType::route, raw_priority, comment, native_output(family, extras)},
    };
}

}  // namespace statnat
