// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/statistics.hpp"

#include "ruleset/inventory.hpp"

#include <algorithm>

namespace statnat {
namespace {

using Of = Statistic::Of;

constexpr std::string_view by_stock_rules = "stock rules, of the native engine, do not count these apart";
constexpr std::string_view by_old_module =
    "the kernel's module does not tell: it is older than this tool, or a rule has too many prefix lengths";
constexpr std::string_view by_set =
    "exempt destinations are in a set, which rules ask before it is known whether the source has a pair";
constexpr std::string_view counters_are_off = "counters are off";

// What a table's expressions tell, added up.
struct Expressions {
    bool are_there = false;
    std::uint64_t dropped = 0;
    std::optional<Counts> counts{Counts{}};
};

bool has_expression(const Rule& rule) {
    return std::any_of(rule.statements.begin(), rule.statements.end(),
                       [](const Statement& one) { return std::holds_alternative<SnatStateless>(one); });
}

Expressions expressions_of(const Table& table) {
    Expressions sum;
    for (const Chain& chain : table.chains) {
        for (const Rule& rule : chain.rules) {
            if (!has_expression(rule)) {
                continue;
            }
            sum.are_there = true;
            sum.dropped += rule.dropped;
            if (!rule.counts) {
                sum.counts.reset();
            }
            for (std::size_t i = 0; sum.counts && i < reason_count; ++i) {
                (*sum.counts)[i] += (*rule.counts)[i];
            }
        }
    }
    return sum;
}

// Of all packets translated one way.
Told translated(const Table& table, Side from) {
    Told told{.why_not = counters_are_off};
    for (const Map& map : table.maps) {
        const auto role = MapRole::of(map, table.family);
        if (role && role->key == from && map.counters) {
            told.packets = told.packets.value_or(0);
            for (const Element& element : map.elements) {
                *told.packets += element.traffic.packets;
            }
        }
    }
    for (const Chain& chain : table.chains) {
        const bool outbound = chain.hook == Hook::postrouting;
        for (const Rule& rule : chain.rules) {
            if (outbound == (from == Side::internal) &&
                std::find(rule.statements.begin(), rule.statements.end(), Statement{Counter{}}) !=
                    rule.statements.end()) {
                told.packets = told.packets.value_or(0) + rule.traffic.packets;
            }
        }
    }
    return told;
}

Told told_of(const Statistic& statistic, const Table& table, const Expressions& expressions) {
    switch (statistic.of) {
    case Of::outbound: return translated(table, Side::internal);
    case Of::inbound: return translated(table, Side::external);
    case Of::dropped:
        return expressions.are_there ? Told{.packets = expressions.dropped} : Told{.why_not = by_stock_rules};
    case Of::reason: break;
    }
    if (!expressions.are_there) {
        return {.why_not = by_stock_rules};
    }
    if (!expressions.counts) {
        return {.why_not = by_old_module};
    }
    if (statistic.reason == Reason::exempt &&
        (find_named(table.prefix_sets, exempt_set) || find_named(table.prefix_sets, only_set))) {
        return {.why_not = by_set};
    }
    return {.packets = (*expressions.counts)[static_cast<std::size_t>(statistic.reason)]};
}

}  // namespace

constexpr std::array<Statistic, statistic_count> all_statistics{{
    {Of::outbound, {}, "translated_outbound", "translated outbound",
     "packets of internal hosts that left with their external address"},
    {Of::inbound, {}, "translated_inbound", "translated inbound",
     "packets to external addresses that went on to their internal hosts"},
    {Of::reason, Reason::error, "errors", "  ICMP errors",
     "of the translated ones, ICMP errors whose own address has a pair, with what they quote where that has one, too"},
    {Of::reason, Reason::quote, "quotes", "  quotes only",
     "of the translated ones, ICMP errors of a router without a pair, whose quote alone has one"},
    {Of::reason, Reason::shortcut, "shortcuts", "  at once",
     "of the translated ones, those that the fast path sent at once, past postrouting"},
    {Of::reason, Reason::detour, "detours", "  not at once",
     "packets that the fast path let go on their usual way, ICMP aside"},
    {Of::reason, Reason::tracked, "tracked", "left alone: tracked",
     "packets of pairs that conntrack had an entry for, so that stateful rules go on with them"},
    {Of::reason, Reason::exempt, "exempt", "left alone: exempt",
     "packets of internal hosts to destinations that are exempt, or none of the only ones, which see the internal "
     "address"},
    {Of::reason, Reason::local, "local", "left alone: for this machine",
     "packets of internal hosts that are for the gateway itself"},
    {Of::reason, Reason::border, "border", "left alone: not outside",
     "packets of pairs that neither leave nor come by an external interface"},
    {Of::dropped, {}, "dropped", "dropped",
     "packets of pairs that could not be translated whole: untranslated, they would show an internal address outside"},
    {Of::reason, Reason::malformed, "malformed", "  malformed",
     "of the dropped ones, those cut off before the end of their transport header, or whose IP header is wrong"},
    {Of::reason, Reason::no_memory, "no_memory", "  no memory",
     "of the dropped ones, those that had to be copied when there was no memory for that"},
    {Of::reason, Reason::no_counterpart, "no_counterpart", "  no counterpart",
     "of the dropped ones, those of an address that NPTv6 has no counterpart for (RFC 6296, 3.2 and 3.7); their sender "
     "was told"},
    {Of::reason, Reason::policy, "ipsec", "  IPsec",
     "of the dropped ones, those that a policy of IPsec wants protected, or lets not leave"},
    {Of::reason, Reason::redirect, "redirects", "redirects dropped",
     "ICMP redirects about packets of pairs, which would lead hosts around the gateway: nothing to worry about"},
}};

std::vector<FamilyStatistics> statistics(const Ruleset& ruleset) {
    std::vector<FamilyStatistics> all;
    for (const Table& table : ruleset) {
        FamilyStatistics one{.family = table.family};
        const Expressions expressions = expressions_of(table);
        for (std::size_t i = 0; i < statistic_count; ++i) {
            one.told[i] = told_of(all_statistics[i], table, expressions);
        }
        all.push_back(one);
    }
    return all;
}

}  // namespace statnat
