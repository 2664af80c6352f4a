// SPDX-License-Identifier: GPL-2.0-or-later
#include "metrics/exposition.hpp"

#include "pairs/address.hpp"
#include "version.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace statnat {
namespace {

std::string_view word(Family family) {
    return family == Family::ipv4 ? "ipv4" : "ipv6";
}

struct Label {
    std::string_view name;
    std::string value;  // of ours: without quotes, backslashes and line ends
};

// Families of samples in turn, each with its meaning and its type in front, if it has any.
class Text {
public:
    // Samples of an instance that has a name say so.
    explicit Text(std::string instance) : instance_(std::move(instance)) {}

    void begin(std::string_view name, std::string_view type, std::string_view help) {
        name_ = name;
        heading_ = fmt::format("# HELP {0} {2}\n# TYPE {0} {1}\n", name, type, help);
    }

    template <class Value>
    void sample(const std::vector<Label>& labels, Value value) {
        text_ += std::exchange(heading_, {});
        text_ += name_;
        const char* before = "{";
        const auto put = [&](const Label& label) {
            fmt::format_to(std::back_inserter(text_), "{}{}=\"{}\"", before, label.name, label.value);
            before = ",";
        };
        if (!instance_.empty()) {
            put({"instance_name", instance_});
        }
        std::for_each(labels.begin(), labels.end(), put);
        fmt::format_to(std::back_inserter(text_), "{} {}\n", *before == '{' ? "" : "}", value);
    }

    const std::string& written() const { return text_; }

private:
    std::string instance_;
    std::string_view name_;
    std::string heading_;
    std::string text_;
};

void add_maps(const Inventory& found, Text& text) {
    const auto each = [&](std::uint64_t Occupancy::*number) {
        for (const Occupancy& maps : found.occupancies) {
            std::vector<Label> labels{{"family", std::string(word(maps.family))},
                                      {"prefix_length", std::to_string(maps.length)},
                                      {"npt", maps.npt ? "true" : "false"}};
            if (maps.inbound) {
                labels.push_back({"inbound", "true"});
            }
            text.sample(labels, maps.*number);
        }
    };
    text.begin("statnat_pairs", "gauge", "Pairs that the kernel has.");
    each(&Occupancy::pairs);
    text.begin("statnat_pairs_capacity", "gauge", "Pairs that fit without a larger map; 0: no limit.");
    each(&Occupancy::capacity);
}

constexpr std::array<std::string_view, 2> directions{"outbound", "inbound"};

using Totals = std::map<std::pair<Family, std::size_t>, Traffic>;

void add(Traffic& sum, const Traffic& more) {
    sum.packets += more.packets;
    sum.bytes += more.bytes;
}

// By what counts: rules, or pairs.
Totals totals(const Metrics& metrics) {
    Totals sums;
    for (const CountedRule& rule : metrics.found.rules) {
        add(sums[{rule.family, rule.chain == "postrouting" ? 0 : 1}], rule.traffic);
    }
    for (const CountedPair& one : metrics.pairs.value_or(std::vector<CountedPair>{})) {
        if (one.outbound && one.inbound) {
            const Family family = one.pair.internal.address.family;
            add(sums[{family, 0}], *one.outbound);
            add(sums[{family, 1}], *one.inbound);
        }
    }
    return sums;
}

void add_traffic(const Metrics& metrics, Text& text) {
    const Totals sums = totals(metrics);
    const auto each = [&](std::uint64_t Traffic::*number) {
        for (const auto& [of, traffic] : sums) {
            text.sample({{"family", std::string(word(of.first))}, {"direction", std::string(directions[of.second])}},
                        traffic.*number);
        }
    };
    text.begin("statnat_packets_total", "counter", "Packets translated.");
    each(&Traffic::packets);
    text.begin("statnat_bytes_total", "counter", "Bytes of packets translated.");
    each(&Traffic::bytes);
}

void add_pairs(const std::vector<CountedPair>& pairs, Text& text) {
    const auto each = [&](std::uint64_t Traffic::*number) {
        for (const CountedPair& one : pairs) {
            const std::array<std::optional<Traffic>, 2> traffic{one.outbound, one.inbound};
            for (std::size_t way = 0; way < traffic.size(); ++way) {
                if (traffic[way]) {
                    text.sample({{"internal", one.pair.internal.short_text()},
                                 {"external", one.pair.external.short_text()},
                                 {"direction", std::string(directions[way])}},
                                *traffic[way].*number);
                }
            }
        }
    };
    text.begin("statnat_pair_packets_total", "counter", "Packets of one pair translated.");
    each(&Traffic::packets);
    text.begin("statnat_pair_bytes_total", "counter", "Bytes of packets of one pair translated.");
    each(&Traffic::bytes);
}

// Samples of all_statistics by name, which is what their label says.
struct ByReason {
    std::string_view metric;
    std::string_view label;  // empty: there is only one
    std::string_view help;
    std::vector<std::string_view> names;
    std::string_view sum{};  // told where their module does not know reasons yet
};

const Told& told_as(std::string_view name, const FamilyStatistics& of) {
    const auto* found = std::find_if(all_statistics.begin(), all_statistics.end(),
                                     [&](const Statistic& one) { return one.name == name; });
    return of.told.at(static_cast<std::size_t>(found - all_statistics.begin()));
}

void add(const ByReason& each, const FamilyStatistics& one, Text& text) {
    const auto sample = [&](std::string_view name, std::string_view reason) {
        const auto packets = told_as(name, one).packets;
        if (packets && each.label.empty()) {
            text.sample({{"family", std::string(word(one.family))}}, *packets);
        } else if (packets) {
            text.sample({{"family", std::string(word(one.family))}, {each.label, std::string(reason)}}, *packets);
        }
    };
    for (const std::string_view name : each.names) {
        sample(name, name);
    }
    if (!each.sum.empty() && !told_as(each.names.front(), one).packets) {
        sample(each.sum, "unknown");
    }
}

// What is not known has no sample.
void add_reasons(const std::vector<FamilyStatistics>& all, Text& text) {
    static const ByReason reasons[] = {
        {"statnat_dropped_packets_total", "reason", "Packets that could not be translated whole.",
         {"malformed", "no_memory", "no_counterpart", "ipsec"}, "dropped"},
        {"statnat_left_alone_packets_total", "reason", "Packets of pairs that stay as they are.",
         {"tracked", "exempt", "local", "border"}},
        {"statnat_translated_errors_total", "part", "ICMP errors translated, whole or by what they quote alone.",
         {"errors", "quotes"}},
        {"statnat_dropped_redirects_total", "", "ICMP redirects about packets of pairs, which are dropped.",
         {"redirects"}},
    };
    for (const ByReason& each : reasons) {
        text.begin(each.metric, "counter", each.help);
        for (const FamilyStatistics& one : all) {
            add(each, one, text);
        }
    }
}

std::string_view word(const std::optional<Engine>& engine) {
    if (!engine) {
        return "none";
    }
    return *engine == Engine::expression ? "expression" : "native";
}

}  // namespace

std::string exposition(const Metrics& metrics) {
    Text text(metrics.instance);
    text.begin("statnat_build_info", "gauge", "The tool's version, and how the kernel's rules translate.");
    text.sample({{"version", std::string(version)}, {"engine", std::string(word(metrics.found.engine))}}, 1);
    text.begin("statnat_healthy", "gauge", "Whether all is as it was left: status --health.");
    text.sample({}, metrics.ailments.empty() ? 1 : 0);
    text.begin("statnat_ailments", "gauge", "How much is not: lines of status --health.");
    text.sample({}, metrics.ailments.size());
    text.begin("statnat_degraded", "gauge", "Whether pairs wait, or are translated in part, for want of the module.");
    text.sample({}, metrics.degraded ? 1 : 0);
    if (metrics.synced_at) {
        text.begin("statnat_last_sync_timestamp_seconds", "gauge", "When the tool left the kernel as it should be.");
        text.sample({}, *metrics.synced_at);
    }
    text.begin("statnat_restores_total", "counter", "How often watch has brought back what somebody took away.");
    text.sample({}, metrics.restores);
    if (metrics.source) {
        text.begin("statnat_source_revision", "gauge", "Of the pairs' source, as far as the kernel has it.");
        text.sample({}, metrics.source->revision);
        text.begin("statnat_source_age_seconds", "gauge", "Since their source was heard last.");
        text.sample({}, metrics.source->age);
        text.begin("statnat_source_stale", "gauge", "Whether that is longer than stale-after.");
        text.sample({}, metrics.source->stale ? 1 : 0);
    }
    text.begin("statnat_pairs_digest", "gauge", "48 bits of a digest of all pairs: equal where these are.");
    text.sample({}, std::stoull(metrics.digest.substr(0, 12), nullptr, 16));
    add_maps(metrics.found, text);
    add_traffic(metrics, text);
    add_reasons(metrics.statistics, text);
    if (metrics.pairs && metrics.per_pair) {
        add_pairs(*metrics.pairs, text);
    }
    return text.written();
}

}  // namespace statnat
