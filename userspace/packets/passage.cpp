// SPDX-License-Identifier: GPL-2.0-or-later
#include "packets/passage.hpp"

#include "packets/filter.hpp"
#include "printable.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace statnat {
namespace {

using Ends = std::pair<Address, Address>;

std::string text_of(const Ends& ends) {
    return fmt::format("{} > {}", ends.first.text(), ends.second.text());
}

std::uint8_t protocol_of(const TraceEvent& event) {
    const std::size_t at = !event.network.empty() && event.network[0] >> 4 == 4 ? 9 : 6;
    return at < event.network.size() ? event.network[at] : 0;
}

// "udp 5000 > 53", "icmp type 8", "protocol 50"
std::string carried_by(const TraceEvent& event) {
    constexpr std::array<std::pair<std::uint8_t, std::string_view>, 5> with_ports{
        {{6, "tcp"}, {17, "udp"}, {33, "dccp"}, {132, "sctp"}, {136, "udplite"}}};
    const std::uint8_t protocol = protocol_of(event);
    const Bytes& header = event.transport;
    for (const auto& [number, name] : with_ports) {
        if (number == protocol && header.size() >= 4) {
            return fmt::format("{} {} > {}", name, header[0] << 8 | header[1], header[2] << 8 | header[3]);
        }
    }
    if ((protocol == 1 || protocol == 58) && header.size() >= 2) {
        return fmt::format("{} type {} code {}", protocol == 1 ? "icmp" : "icmpv6", header[0], header[1]);
    }
    return fmt::format("protocol {}", protocol);
}

std::string place_of(const TraceEvent& event) {
    return printable(fmt::format("chain {} in table {} {}", event.chain, event.family, event.table));
}

// The rule's text, or what else is known of it.
std::string rule_of(const TraceEvent& event, const Naming& naming) {
    if (!event.rule) {
        return "its policy";
    }
    const auto text = naming.text_of_rule(event);
    return text ? printable(*text) : fmt::format("rule {}", *event.rule);
}

// How it ended, for programs.
std::string_view outcome(const Passage& passage, const Naming& naming) {
    const TraceEvent& last = passage.events.back();
    if (last.drops()) {
        return "dropped";
    }
    if (last.takes_over()) {
        return "taken";
    }
    if (!is_over(passage, naming.own_table)) {
        return "lost";
    }
    return last.chain == received ? "received" : "left";
}

std::string ending(const Passage& passage, const Naming& naming, const Ends& ends) {
    const TraceEvent& last = passage.events.back();
    const std::string_view how = outcome(passage, naming);
    if (how == "dropped") {
        return fmt::format("dropped by {}: {}", place_of(last), rule_of(last, naming));
    }
    if (how == "taken") {
        return fmt::format("taken over by {}: {}", place_of(last), rule_of(last, naming));
    }
    if (how == "received") {
        return fmt::format("is for this machine: {}", text_of(ends));
    }
    if (how == "left") {
        return fmt::format("leaves by {}: {}", naming.interface(last.out), text_of(ends));
    }
    return fmt::format("lost behind {}, and by no rule of nf_tables: routing, the reverse path filter or IPsec",
                       place_of(last));
}

// Whether it has something to say beside where the packet is seen.
bool is_step(const TraceEvent& event, const Naming& naming) {
    return event.rule && event.table != naming.own_table;
}

std::string json_of(const Ends& ends) {
    return fmt::format(R"("source":"{}","target":"{}")", ends.first.text(), ends.second.text());
}

std::string json_of(const TraceEvent& event, const Naming& naming, const Ends& ends) {
    const auto text = naming.text_of_rule(event);
    return fmt::format(R"({{"family":"{}","table":{},"chain":{},"handle":{},"rule":{},{}}})", event.family,
                       quoted_json(event.table), quoted_json(event.chain), *event.rule,
                       text ? quoted_json(*text) : "null", json_of(ends));
}

}  // namespace

bool is_over(const Passage& passage, const std::string& own_table) {
    const TraceEvent& last = passage.events.back();
    return last.drops() || last.takes_over() ||
           (last.table == own_table && (last.chain == leaves || last.chain == received));
}

std::string as_text(const Passage& passage, const Naming& naming) {
    const TraceEvent& first = passage.events.front();
    Ends ends = first.ends.value_or(Ends());
    std::string text =
        fmt::format("{} {}: {} {}\n", passage.time,
                    first.in == 0 ? "from this machine" : "by " + naming.interface(first.in), text_of(ends),
                    carried_by(first));
    for (const TraceEvent& event : passage.events) {
        const bool ends_it = &event == &passage.events.back() && event.drops();
        if (is_step(event, naming) && !ends_it) {
            text += fmt::format("  {}: {}\n", place_of(event), rule_of(event, naming));
        }
        if (event.ends && *event.ends != ends) {
            ends = *event.ends;
            text += fmt::format("  now {}\n", text_of(ends));
        }
    }
    return text + "  " + ending(passage, naming, ends) + "\n";
}

std::string as_json(const Passage& passage, const Naming& naming) {
    const TraceEvent& first = passage.events.front();
    Ends ends = first.ends.value_or(Ends());
    const std::string came = json_of(ends);
    std::string steps;
    for (const TraceEvent& event : passage.events) {
        ends = event.ends.value_or(ends);
        if (is_step(event, naming)) {
            steps += (steps.empty() ? "" : ",") + json_of(event, naming, ends);
        }
    }
    const TraceEvent& last = passage.events.back();
    const std::string_view how = outcome(passage, naming);
    const std::string where =
        how == "left" ? fmt::format(R"(,"out":{},{})", quoted_json(naming.interface(last.out)), json_of(ends))
        : how == "lost" || how == "received"
            ? "," + json_of(ends)
            : fmt::format(R"(,"by":{},"rule":{},{})", quoted_json(place_of(last)),
                          quoted_json(rule_of(last, naming)), json_of(ends));
    return fmt::format(R"({{"time":"{}","in":{},{},"carries":"{}","rules":[{}],"end":{{"how":"{}"{}}}}})"
                       "\n",
                       passage.time, first.in == 0 ? "null" : quoted_json(naming.interface(first.in)), came,
                       carried_by(first), steps, how, where);
}

}  // namespace statnat
