// SPDX-License-Identifier: GPL-2.0-or-later
// What both engines' rules are made of, and those of the expression.
#include "ruleset/chains.hpp"

#include <algorithm>
#include <utility>

namespace statnat {
namespace {

// Where what conntrack follows gets no other source.
constexpr std::string_view guard_chain = "guard";

constexpr std::string_view expression_comment =
    "made by statnat-nft; stock nft does not show the rules of this chain, statnat-nft nft list ruleset does";
static_assert(expression_comment.size() <= 127, "nft's limit of a comment");

// Where all keys of a map are, which spares the lookup of an address that is elsewhere.
std::optional<Prefix> bound(const Elements& elements, std::uint8_t length) {
    const Prefix common = Prefix::common(elements.key(0), elements.key(elements.size() - 1));
    const Prefix bound = Prefix::of(common.address, std::min(common.length, length));
    return bound.length == 0 ? std::nullopt : std::optional(bound);
}

// In the order in which they are asked.
std::vector<MapReference> references(Side key, const Table& table) {
    std::vector<MapReference> references;
    for (const Map& map : table.maps) {
        if (const auto role = MapRole::of(map, table.family); role && role->key == key) {
            references.push_back(role->reference(table.family));
            references.back().within = bound(map.elements, role->length);
        }
    }
    return references;
}

std::vector<Rule> expression_prerouting(const SnatStateless& inbound, const SnatStateless& decide,
                                        const Extras& extras) {
    if (extras.vrf) {
        std::vector<Rule> rules{make_rule({{inbound}, to_vrf(extras), counted(extras)})};
        // Conntrack may have begun in the first round, by a port that no sync has seen.
        SnatStateless again = decide;
        again.tracked = true;
        for (const std::vector<Statement>& from : by_each_way_out(extras)) {
            rules.push_back(make_rule({from, unless_exempt(extras), {from == from_vrf(extras) ? again : decide}}));
        }
        return rules;
    }
    SnatStateless both = inbound;
    both.else_maps = decide.maps;
    both.destinations = decide.destinations;
    both.only = decide.only;
    if (!extras.by_set && !extras.rule_counter) {
        // Nothing stands between the two, and one expression is the faster.
        both.forward = extras.forward;
        return {make_rule({{both}})};
    }
    // With interfaces it takes both to tell hairpin, which only postrouting counts.
    const Rule decide_rule = extras.interfaces.empty() ? make_rule({unless_exempt(extras), {decide}})
                                                       : make_rule({{both}});
    return {make_rule({{inbound}, counted(extras)}), decide_rule};
}

}  // namespace

Rule make_rule(std::initializer_list<std::vector<Statement>> parts) {
    Rule rule;
    for (const auto& part : parts) {
        rule.statements.insert(rule.statements.end(), part.begin(), part.end());
    }
    return rule;
}

namespace {

std::vector<Statement> by_destination(const Extras& extras, bool exempt) {
    if (!extras.by_set) {
        return {};
    }
    return {MatchAddress{.field = Field::destination,
                         .set = std::string(extras.only ? only_set : exempt_set),
                         .inverted = exempt == extras.only}};
}

}  // namespace

std::vector<Statement> unless_exempt(const Extras& extras) {
    return by_destination(extras, false);
}

std::vector<Statement> if_exempt(const Extras& extras) {
    return by_destination(extras, true);
}

std::vector<Statement> counted(const Extras& extras) {
    if (!extras.rule_counter) {
        return {};
    }
    return {Counter{}};
}

std::vector<std::vector<Statement>> by_each_way_out(const Extras& extras) {
    std::vector<std::vector<Statement>> matches{from_vrf(extras)};
    for (const std::string& port : extras.vrf ? extras.vrf->ports : std::vector<std::string>()) {
        matches.push_back({MatchInterface{MatchInterface::Way::in, port}});
    }
    return matches;
}

std::vector<Statement> from_vrf(const Extras& extras) {
    return extras.vrf ? std::vector<Statement>{MatchInterface{MatchInterface::Way::in, extras.vrf->name}}
                      : std::vector<Statement>{};
}

std::vector<Statement> to_vrf(const Extras& extras) {
    return extras.vrf ? std::vector<Statement>{SetMark{extras.vrf->mark}} : std::vector<Statement>{};
}

std::vector<MatchIcmpType> icmp_errors(Family family) {
    if (family == Family::ipv4) {
        return {{3, 5}, {11, 12}};
    }
    return {{1, 4}};
}

namespace {

// An error is about a packet that went the other way.
std::vector<Statement> quoted(const Exception& exception) {
    // Behind the error's own 8 bytes; of IPv4 without options, of IPv6 without extension headers.
    struct Offsets {
        std::uint32_t protocol, source, destination, ports;
    };
    const bool ipv4 = exception.address.family == Family::ipv4;
    const Offsets at = ipv4 ? Offsets{8 + 9, 8 + 12, 8 + 16, 8 + 20} : Offsets{8 + 6, 8 + 8, 8 + 24, 8 + 40};
    const bool is_source = exception.side == Side::external;
    const auto& bytes = exception.address.bytes;
    std::vector<Statement> matches{
        MatchBytes{at.protocol, {exception.protocol}},
        MatchBytes{is_source ? at.source : at.destination,
                   {bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(exception.address.size())}}};
    if (exception.port) {
        matches.push_back(MatchBytes{is_source ? at.ports : at.ports + 2,
                                     {static_cast<std::uint8_t>(*exception.port >> 8),
                                      static_cast<std::uint8_t>(*exception.port)}});
    }
    return matches;
}

}  // namespace

std::vector<Rule> exceptional(Family family, const Extras& extras) {
    std::vector<Rule> rules;
    for (const Exception& exception : extras.exceptions) {
        const Field field = exception.side == Side::external ? Field::destination : Field::source;
        rules.push_back(make_rule({{MatchHost{field, exception.address},
                                    MatchService{exception.protocol, exception.port ? field : Field::source,
                                                 exception.port},
                                    Accept{}}}));
        for (const MatchIcmpType& error : icmp_errors(family)) {
            rules.push_back(make_rule({{error}, quoted(exception), {Accept{}}}));
        }
    }
    return rules;
}

MatchIcmpType icmp_redirect(Family family) {
    return family == Family::ipv4 ? MatchIcmpType{5, 5} : MatchIcmpType{137, 137};
}

std::vector<Chain> expression_chains(const Table& table, const Extras& extras) {
    const std::vector<MapReference> by_internal = references(Side::internal, table);
    const std::vector<MapReference> by_external = references(Side::external, table);
    // What the gateway itself sends has come by no interface.
    const bool follow = extras.follow;
    const SnatStateless from_gateway{
        .field = Field::destination, .maps = by_external, .notrack = !follow, .follow = follow};
    SnatStateless inbound = from_gateway;
    inbound.via = extras.interfaces;
    const SnatStateless of_pairs{.field = Field::source, .maps = by_internal, .untrack = !follow, .follow = follow};
    SnatStateless decide = of_pairs;
    decide.destinations = extras.destinations;
    decide.only = extras.only && !extras.destinations.empty();
    decide.via = extras.interfaces;
    SnatStateless outbound{.field = Field::source,
                           .maps = by_internal,
                           .untracked = !follow,
                           .followed = follow,
                           .via = extras.interfaces,
                           .errors_as = extras.errors_as};
    // It may have to decide late.
    if (follow || !extras.interfaces.empty()) {
        outbound.destinations = decide.destinations;
        outbound.only = decide.only;
    }
    // A redirect about a packet of a pair goes no further, exempt or not: by its addresses alone, nobody could tell.
    std::vector<Rule> output{make_rule({{icmp_redirect(table.family), of_pairs}})};
    // The gateway's own ICMP errors quote packets whose source is translated already; their host knows another address.
    for (const MatchIcmpType& error : icmp_errors(table.family)) {
        output.push_back(make_rule({{error, from_gateway}, to_vrf(extras)}));
    }
    // Whom the gateway's own errors are about, their mark tells, which is that of the packet (fwmark_reflect).
    const std::vector<Statement> about_vrf =
        extras.vrf ? std::vector<Statement>{MatchMark{extras.vrf->mark}} : std::vector<Statement>{};
    output.push_back(make_rule({about_vrf, unless_exempt(extras), {decide}}));
    std::vector<Rule> postrouting{make_rule({from_vrf(extras), {outbound}, counted(extras)})};
    if (extras.vrf) {
        postrouting.push_back(make_rule({{MatchForwarded{false}}, about_vrf, {outbound}}));
    }
    const std::string comment{expression_comment};
    std::vector<Rule> prerouting = exceptional(table.family, extras);
    const std::vector<Rule> of_pairs_there = expression_prerouting(inbound, decide, extras);
    prerouting.insert(prerouting.end(), of_pairs_there.begin(), of_pairs_there.end());
    std::vector<Chain> chains{
        {"prerouting", Hook::prerouting, ChainType::filter, raw_priority, comment, prerouting},
        {"postrouting", Hook::postrouting, ChainType::filter, follow ? followed_priority : raw_priority, comment,
         postrouting},
        {"output", Hook::output, ChainType::route, raw_priority, comment, output},
    };
    if (follow) {
        SnatStateless told = outbound;
        told.follow = true;
        told.errors_as.reset();
        chains.push_back({std::string(guard_chain), Hook::postrouting, ChainType::nat, guard_priority, comment,
                          {make_rule({{told, KeepSource{}}})}});
    }
    return chains;
}

}  // namespace statnat
