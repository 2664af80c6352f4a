// SPDX-License-Identifier: GPL-2.0-or-later
#include "doctor/diagnosis.hpp"

#include "ruleset/ruleset.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fmt/format.h>

namespace statnat {
namespace {

// Chains that iptables makes in nf_tables, and which it no longer understands once nft has put a rule of its own in.
bool is_of_iptables(const TraceEvent& base) {
    static constexpr const char* chains[] = {"PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"};
    return (base.family == "ip" || base.family == "ip6") &&
           std::find(std::begin(chains), std::end(chains), base.chain) != std::end(chains);
}

std::string cure_of_drop(const TraceEvent& drop, const TraceEvent& base, bool untracked) {
    if (!untracked && drop.rule) {
        return fmt::format("nft delete rule {} {} {} handle {}", drop.family, drop.table, drop.chain, *drop.rule);
    }
    if (!untracked) {
        return fmt::format("nft 'chain {} {} {} {{ policy accept; }}'", drop.family, drop.table, drop.chain);
    }
    if (is_of_iptables(base)) {
        return fmt::format("{}tables {}-I {} -m conntrack --ctstate UNTRACKED -j ACCEPT", drop.family,
                           base.table == "filter" ? "" : fmt::format("-t {} ", base.table), base.chain);
    }
    return fmt::format("nft insert rule {} {} {} ct state untracked accept", base.family, base.table, base.chain);
}

Trouble dropped(const Probe& probe, const Course& course, const Questions& ask) {
    const TraceEvent& drop = course.back();
    // The first event in a base chain is one of that chain's own.
    const auto base = std::find_if(course.rbegin(), course.rend(),
                                   [](const TraceEvent& event) { return event.ends.has_value(); });
    const bool untracked = std::any_of(course.begin(), course.end(),
                                       [&](const TraceEvent& event) { return event.table == ask.table; });
    const std::string place = fmt::format("chain {} in table {} {}", drop.chain, drop.family, drop.table);
    const auto rule = ask.text_of_rule(drop);
    const std::string culprit = !drop.rule ? fmt::format("the policy of {}", place)
                                : rule     ? fmt::format("{}: {}", place, *rule)
                                           : fmt::format("rule {} of {}", *drop.rule, place);
    return {fmt::format("{} is dropped by {}", probe.text(), culprit),
            cure_of_drop(drop, base == course.rend() ? drop : *base, untracked)};
}

std::optional<Trouble> left(const Probe& probe, const TraceEvent& last, const Questions& ask) {
    if (!last.ends || (last.ends->first == probe.leaves_from() && last.ends->second == probe.leaves_to())) {
        return std::nullopt;
    }
    const auto& [source, target] = *last.ends;
    return Trouble{fmt::format("{} leaves from {} to {}, not from {} to {}", probe.text(), source.text(), target.text(),
                               probe.leaves_from().text(), probe.leaves_to().text()),
                   ask.sync};
}

Trouble lost(const Probe& probe, const Course& course, const Questions& ask) {
    const int error = ask.routing_error(probe);
    if (error == EXDEV) {
        return {fmt::format("{} and comes in by {} is dropped by the strict reverse path filter, since the way back is "
                            "another one",
                            probe.text(), probe.device.name),
                // With slashes, since a device's name may have dots.
                fmt::format("sysctl -w net/ipv4/conf/{}/rp_filter=2", probe.device.name)};
    }
    if (error != 0) {
        return {fmt::format("{} is routed nowhere: {}", probe.text(), std::strerror(error)),
                fmt::format("ip route get {} from {} iif {}{}", probe.leaves_to().text(), probe.source().text(),
                            probe.device.name, probe.fwmark != 0 ? fmt::format(" mark {:#x}", probe.fwmark) : "")};
    }
    const TraceEvent& last = course.back();
    return {fmt::format("{} is lost behind chain {} in table {} {}, and not by a rule of nf_tables: perhaps by one of "
                        "iptables-legacy",
                        probe.text(), last.chain, last.family, last.table),
            "iptables-legacy-save"};
}

}  // namespace

std::optional<Trouble> diagnosis(const Probe& probe, const Course& course, const Questions& ask) {
    if (course.empty()) {
        return Trouble{fmt::format("{} is gone before any chain of the hook prerouting, where it comes in by {}",
                                   probe.text(), probe.device.name),
                       fmt::format("tc filter show dev {} ingress; nft list hooks device {}", probe.device.name,
                                   probe.device.name)};
    }
    const TraceEvent& last = course.back();
    if (last.takes_over()) {
        return std::nullopt;
    }
    if (is_at(last, leaving)) {
        return left(probe, last, ask);
    }
    if (is_at(last, for_this_machine)) {
        return Trouble{fmt::format("{} is taken for this machine's own", probe.text()), ask.sync};
    }
    return last.drops() ? dropped(probe, course, ask) : lost(probe, course, ask);
}

}  // namespace statnat
