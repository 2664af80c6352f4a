// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/explanation_text.hpp"

#include "printable.hpp"

#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace statnat {
namespace {

std::string_view reason(Fate fate) {
    return fate == Fate::subnet ? "subnet 0xffff has no counterpart (RFC 6296, 3.2)"
                                : "its interface identifier has no counterpart (RFC 6296, 3.7)";
}

std::string fate(const Match& match) {
    return match.becomes ? fmt::format("becomes {}", match.becomes->text())
                         : fmt::format("is dropped, and its sender told: {}", reason(match.fate));
}

std::string what_becomes(const Handling& handling) {
    if (handling.match) {
        return fmt::format("{}\n    pair: {}\n", fate(*handling.match), with_comment(handling.match->pair));
    }
    if (handling.excluded == handling.hole) {
        return fmt::format("no pair has it: {} is excluded\n", handling.hole->short_text());
    }
    const std::string hole = fmt::format("no pair has it: {} is a hole", handling.hole->short_text());
    return handling.beside     ? fmt::format("{}, since its internal host has another pair: {}\n", hole,
                                             with_comment(*handling.beside))
           : handling.excluded ? fmt::format("{}, since {} is excluded\n", hole, handling.excluded->short_text())
                               : hole + "\n";
}

std::string as_text(const Handling& handling, const std::string& table) {
    if (handling.chain.empty()) {
        return "no rule translates it\n";
    }
    const std::string rule =
        fmt::format("    rule: {} {}: {}\n", table, printable(handling.chain), printable(handling.rule));
    if (handling.map.empty()) {
        return "no pair has it\n" + rule;
    }
    std::string lines = fmt::format("{}    map: {} {}\n{}", what_becomes(handling), table, handling.map, rule);
    if (handling.match && handling.match->pair.inbound) {
        lines += handling.beside ? fmt::format("    answers leave from: {}\n", handling.beside->external.short_text())
                                 : "    answers leave as they are: its host has no pair\n";
    }
    if (!handling.further.empty()) {
        std::vector<std::string> texts;  // no view: clang 14 stumbles over those of libstdc++
        for (const Address& address : handling.further) {
            texts.push_back(address.text());
        }
        lines += fmt::format("    reached by, too: {}\n", fmt::join(texts, ", "));
    }
    for (const std::string& service : handling.exceptions) {
        lines += fmt::format("    but not what is of {}\n", service);
    }
    for (const Match& other : handling.overridden) {
        lines += fmt::format("    overrides: {}, by which it {}\n", with_comment(other.pair), fate(other));
    }
    return lines;
}

std::string as_json(const Pair& pair) {
    return fmt::format(R"({{"internal":{},"external":{},"npt":{},"comment":{}{}}})",
                       quoted_json(pair.internal.short_text()), quoted_json(pair.external.short_text()), pair.npt,
                       quoted_json(pair.comment.text()), pair.inbound ? R"(,"only":"inbound")" : "");
}

std::string members(const Match& match) {
    const std::string becomes = match.becomes ? fmt::format(R"("becomes":{})", quoted_json(match.becomes->text()))
                                              : fmt::format(R"("dropped":{})", quoted_json(reason(match.fate)));
    return fmt::format(R"("pair":{},{})", as_json(match.pair), becomes);
}

std::string as_json(const Handling& handling) {
    std::string json = "{";
    if (handling.match) {
        json += members(*handling.match) + ",";
    }
    if (handling.hole) {
        json += fmt::format(R"("hole":{},)", quoted_json(handling.hole->short_text()));
    }
    if (handling.excluded) {
        json += fmt::format(R"("excluded":{},)", quoted_json(handling.excluded->short_text()));
    }
    if (handling.beside) {
        json += fmt::format(R"("beside":{},)", as_json(*handling.beside));
    }
    if (!handling.map.empty()) {
        json += fmt::format(R"("map":{},)", quoted_json(handling.map));
    }
    if (!handling.chain.empty()) {
        json += fmt::format(R"("chain":{},"rule":{},)", quoted_json(handling.chain), quoted_json(handling.rule));
    }
    if (!handling.further.empty()) {
        json += fmt::format(R"("further":{},)", list_in_json(handling.further, [](const Address& address) {
                                return quoted_json(address.text());
                            }));
    }
    if (!handling.exceptions.empty()) {
        const auto quoted = [](const std::string& service) { return quoted_json(service); };
        json += fmt::format(R"("exceptions":{},)", list_in_json(handling.exceptions, quoted));
    }
    const auto overridden = [](const Match& match) { return "{" + members(match) + "}"; };
    return json + fmt::format(R"("overrides":{}}})", list_in_json(handling.overridden, overridden));
}

std::string interfaces(const Explanation& explanation) {
    return printable(fmt::format("{}", fmt::join(explanation.external_interfaces, ", ")));
}

}  // namespace

std::string as_text(const Explanation& explanation, std::string_view of) {
    const std::string table = table_text(explanation.address.family, of);
    std::string lines = fmt::format("{}\n  as the source of an internal host: {}", explanation.address.text(),
                                    as_text(explanation.outbound, table));
    if (explanation.outbound.match && !explanation.exempt_destinations.empty()) {
        lines += fmt::format("    but not on the way to: {}\n", joined(explanation.exempt_destinations));
    }
    if (explanation.outbound.match && !explanation.only_destinations.empty()) {
        lines += fmt::format("    but only on the way to: {}\n", joined(explanation.only_destinations));
    }
    if (explanation.outbound.match && !explanation.external_interfaces.empty()) {
        lines += fmt::format("    but only to where a packet leaves by: {}\n", interfaces(explanation));
    }
    lines += fmt::format("  as the destination from outside: {}", as_text(explanation.inbound, table));
    if (explanation.inbound.match && !explanation.external_interfaces.empty()) {
        lines += fmt::format("    but only from where a packet comes by: {}, or from a host that has a pair\n",
                             interfaces(explanation));
    }
    if (explanation.exempt) {
        lines += fmt::format("  as the destination of internal hosts: exempt, by {}\n", explanation.exempt->text());
    }
    return lines;
}

std::string as_json(const Explanation& explanation) {
    const auto quoted = [](const Prefix& prefix) { return quoted_json(prefix.text()); };
    return fmt::format(R"({{"address":{},"outbound":{},"inbound":{},"exempt_destinations":{},"exempt":{},)"
                       R"("external_interfaces":{},"only_destinations":{}}})" "\n",
                       quoted_json(explanation.address.text()), as_json(explanation.outbound),
                       as_json(explanation.inbound), list_in_json(explanation.exempt_destinations, quoted),
                       explanation.exempt ? quoted(*explanation.exempt) : "null",
                       list_in_json(explanation.external_interfaces,
                                    [](const std::string& name) { return quoted_json(name); }),
                       list_in_json(explanation.only_destinations, quoted));
}

}  // namespace statnat
