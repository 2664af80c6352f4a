// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/status_text.hpp"

#include "printable.hpp"
#include "quantity.hpp"

#include <algorithm>
#include <span>

#include <fmt/format.h>

namespace statnat {

namespace {

// What stock payload statements cannot do, in the words of docs/snat_stateless.7.
constexpr std::string_view native_lacks[] = {
    "ICMP errors are translated in their outer header only: traceroute, path MTU discovery and \"port unreachable\" do "
    "not work across this gateway",
    "an ICMP error from a router that has no pair reaches nobody: its quote is not looked at",
    "a packet with its transport header cut off is sent untranslated or unchecked, not dropped and counted",
    "checksums of DCCP and HIP, and in IPv6 of OSPF, PIM, VRRP and mobility headers, are not repaired: these do not "
    "pass",
    "the outer UDP checksum of a tunnel comes out wrong where the inner one is left to the network card",
    "a neighbour solicitation that asks for an external IPv6 address by unicast is translated too and gets no answer; "
    "the multicast one that follows does",
    "this machine sends no ICMP redirects at all, not about packets of no pair either",
    "prefixes and NPTv6 need the expression",
    "IPsec's policies are not looked up for the external address: what they ask for is not done",
    "copies that dup makes, and what others mark untracked between two exempt hosts that have pairs, are translated",
    "with nothing exempt, hosts of one bridge of this machine under br_netfilter do not reach each other's external "
    "addresses",
    "beside external interfaces a rule that routes by the incoming interface has no say in what stays tracked",
    "exempt destinations and external interfaces read \"ct state\", which switches conntrack on for everything else on "
    "this machine",
};

std::string_view words(Counters counters) {
    switch (counters) {
    case Counters::pair: return "per pair";
    case Counters::rule: return "per rule";
    case Counters::off: break;
    }
    return "off";
}

// "2 of 3072 IPv4, 1 of 48 IPv6 /48 npt"
std::string occupancy(const Inventory& found) {
    std::string text;
    for (const Occupancy& maps : found.occupancies) {
        text += fmt::format("{}{} of {} {}{}{}{}", text.empty() ? "" : ", ", maps.pairs, maps.capacity,
                            name(maps.family),
                            maps.length == full_length(maps.family) ? "" : fmt::format(" /{}", maps.length),
                            maps.npt ? " npt" : "", maps.inbound ? " inbound" : "");
    }
    return text.empty() ? "none" : text;
}

std::string module_line(const Status& status) {
    if (!status.no_module.empty()) {
        return fmt::format("module: not available: {}\n", status.no_module);
    }
    return fmt::format("module: available{}\n",
                       status.found.engine == Engine::native
                           ? ": the next sync takes it, unless its engine is \"native\""
                           : "");
}

std::string as_json(const Occupancy& maps) {
    return fmt::format(R"({{"family":"{}","length":{},"npt":{},"inbound":{},"pairs":{},"capacity":{}}})",
                       name(maps.family), maps.length, maps.npt, maps.inbound, maps.pairs,
                       maps.capacity == 0 ? "null" : fmt::format("{}", maps.capacity));
}

std::string as_json(const CountedRule& rule) {
    return fmt::format(R"({{"family":"{}","chain":{},"rule":{},"packets":{},"bytes":{}}})", name(rule.family),
                       quoted_json(rule.chain), quoted_json(rule.text), rule.traffic.packets, rule.traffic.bytes);
}

std::string as_json(const FromSource& source) {
    return fmt::format(R"({{"revision":{},"age":{:.3f},"stale":{},"endpoint":{},"trouble":{}}})", source.revision,
                       source.age, source.stale, quoted_json(source.endpoint),
                       source.trouble.empty() ? "null" : quoted_json(source.trouble));
}

std::string quoted(std::string_view text) {
    return quoted_json(text);
}

}  // namespace

std::string_view name(Engine engine) {
    return engine == Engine::expression ? "expression" : "native";
}

std::string as_text(const Status& status) {
    const std::string_view drained = status.drained ? "drained: no route leads here until drain --end\n" : "";
    if (!status.is_installed) {
        return fmt::format("nothing is installed: there is no table {}\n{}{}", status.table, module_line(status),
                           drained);
    }
    const Inventory& found = status.found;
    std::string text = fmt::format("engine: {}\n{}pairs: {}\ncounters: {}\n",
                                   found.engine ? name(*found.engine) : "none", module_line(status), occupancy(found),
                                   words(found.counters));
    text += fmt::format("digest: {}\n", status.digest);
    if (status.source) {
        const FromSource& source = *status.source;
        text += fmt::format("source: revision {} of {}, heard {:.1f} s ago{}{}\n", source.revision,
                            printable(source.endpoint), source.age, source.stale ? ", stale" : "",
                            source.trouble.empty() ? "" : ": " + printable(source.trouble));
    }
    text += drained;
    if (found.conntrack == Conntrack::follow) {
        text += "conntrack: follows packets of pairs, by their internal addresses\n";
    }
    for (const CountedRule& rule : found.rules) {
        text += fmt::format("rule: {}, {}: {}: {} ({})\n", quantity(rule.traffic.packets, "packet"),
                            quantity(rule.traffic.bytes, "byte"), printable(rule.chain), printable(rule.text),
                            name(rule.family));
    }
    if (found.engine == Engine::expression) {
        text += fmt::format("dropped: {} that could not be translated whole\n", quantity(found.dropped, "packet"));
    }
    text += fmt::format("rules: {}\n",
                        status.damages.empty() ? "as expected" : "not as expected; what a repair would do:");
    for (const std::string& line : status.damages) {
        text += fmt::format("  {}\n", line);
    }
    if (found.engine == Engine::native) {
        for (const std::string_view sentence : native_lacks) {
            text += fmt::format("lacks: {}\n", sentence);
        }
    }
    for (const std::string& sentence : status.notes) {
        text += fmt::format("note: {}\n", printable(sentence));
    }
    return text;
}

std::string as_json(const Status& status) {
    const Inventory& found = status.found;
    std::span<const std::string_view> lacks;
    if (found.engine == Engine::native) {
        lacks = native_lacks;
    }
    return fmt::format(
        R"({{"installed":{},"engine":{},"module":{{"available":{}{}}},)"
        "\n"
        R"("pairs":{},"counters":{},"conntrack":{},"rules":{},"dropped":{},)"
        "\n"
        R"("digest":{},"source":{},"drained":{},)"
        "\n"
        R"("damages":{},"lacks":{},"notes":{}}})"
        "\n",
        status.is_installed, found.engine ? quoted_json(name(*found.engine)) : "null", status.no_module.empty(),
        status.no_module.empty() ? "" : R"(,"why":)" + quoted_json(status.no_module),
        list_in_json(found.occupancies, [](const Occupancy& maps) { return as_json(maps); }),
        status.is_installed ? quoted_json(word_of(found.counters, counters_words)) : "null",
        status.is_installed ? quoted_json(word_of(found.conntrack, conntrack_words)) : "null",
        list_in_json(found.rules, [](const CountedRule& rule) { return as_json(rule); }),
        found.engine == Engine::expression ? fmt::format("{}", found.dropped) : "null",
        status.is_installed ? quoted_json(status.digest) : "null", status.source ? as_json(*status.source) : "null",
        status.drained,
        list_in_json(status.damages, quoted), list_in_json(lacks, quoted), list_in_json(status.notes, quoted));
}

std::string as_text(const std::vector<std::string>& ailments) {
    std::string text;
    for (const std::string& sentence : ailments) {
        text += printable(sentence) + "\n";
    }
    return ailments.empty() ? "healthy\n" : text;
}

std::string as_json(const std::vector<std::string>& ailments) {
    return fmt::format(R"({{"healthy":{},"ailments":{}}})"
                       "\n",
                       ailments.empty(), list_in_json(ailments, quoted));
}

}  // namespace statnat
