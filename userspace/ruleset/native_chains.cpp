// SPDX-License-Identifier: GPL-2.0-or-later
// What stock rules can do of it.
#include "ruleset/chains.hpp"

namespace statnat {
namespace {

constexpr std::string_view native_comment = "made by statnat-nft, do not edit";

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
    // ct state switches conntrack on, so it is there only when something has to stay tracked.
    std::vector<Statement> untracked;
    if (extras.exempt) {
        untracked.push_back(MatchUntracked{});
    }
    const auto rule = [&](const std::vector<Statement>& from, const std::vector<Statement>& to) {
        return make_rule({from, untracked, to, abroad(family), {outbound}, counted(extras)});
    };
    std::vector<Rule> rules{rule({MatchForwarded{true}, has_pair}, unless_exempt(extras)),
                            rule({MatchForwarded{false}, has_pair, own}, unless_exempt(extras))};
    if (extras.exempt) {
        // Hairpin, also by way of a bridge: only what was sent to an external address is untracked on its way to a host
        // that has a pair.
        rules.push_back(rule({has_pair},
                             {MatchAddress{.field = Field::destination, .set = std::string(exempt_set)},
                              MatchAddress{.field = Field::destination, .set = std::string(internal_set)}}));
    }
    return rules;
}

}  // namespace

std::vector<Chain> native_chains(Family family, const Extras& extras) {
    const SetAddress inbound{Field::destination, std::string(ext2int)};
    // A lookup in int2ext would count each outbound packet twice.
    const MatchAddress has_pair{Field::source, std::string(internal_set)};
    const MatchOutside routable = unless_on_link(family, Field::source);

    // What is for the gateway itself stays tracked.
    const Rule decide_rule = make_rule({{has_pair}, unless_exempt(extras), abroad(family), {Notrack{}}});
    const MatchIcmpType redirect = icmp_redirect(family);
    const MatchAddress to_internal{Field::destination, std::string(internal_set)};
    // What the gateway's own redirects are about is in their quote, of which stock rules can only ask what a listing of
    // nft could not be loaded with: it sends none at all.
    const std::vector<Rule> output{make_rule({{redirect, Drop{}}}),
                                   make_rule({{has_pair}, unless_exempt(extras), {Notrack{}}})};
    const std::string comment{native_comment};
    return {
        {"prerouting", Hook::prerouting, ChainType::filter, raw_priority, comment,
         {make_rule({{routable, inbound, Notrack{}}, counted(extras)}), make_rule({{redirect, to_internal, Drop{}}}),
          decide_rule}},
        {"postrouting", Hook::postrouting, ChainType::filter, raw_priority, comment,
         native_postrouting(family, extras)},
        {"output", Hook::output, ChainType::route, raw_priority, comment, output},
    };
}

}  // namespace statnat
