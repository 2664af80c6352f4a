// SPDX-License-Identifier: GPL-2.0-or-later
// A line for each: the VRF, its ports, the mark and the policy rules that were left.
#include "vrf/delivery.hpp"

#include "error.hpp"
#include "neighbours/settings.hpp"
#include "neighbours/steps.hpp"
#include "netlink/netlink.hpp"
#include "quantity.hpp"
#include "routing/ours.hpp"
#include "vrf/survey.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <sstream>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <linux/fib_rules.h>
#include <spdlog/spdlog.h>

namespace statnat {
namespace {

// The kernel's errors have the mark of what they are about, by which the rules know whose it is: two VRFs may have a
// host of the same address.
constexpr std::array<const char*, 2> reflections{"net/ipv4/fwmark_reflect", "net/ipv6/fwmark_reflect"};

using MarkRules = std::set<MarkRule>;

struct Left {
    std::string vrf{};
    std::uint32_t mark = 0;
    bool is_there = false;
    std::vector<std::string> ports{};
    std::set<std::string> rules{};  // their texts
};

Left left_by(const RunFile& file) {
    Left left;
    auto opened = file.open();
    for (std::string line; opened && std::getline(opened->rest, line);) {
        std::istringstream words(line);
        std::string kind;
        std::string rest;
        std::getline(words >> kind >> std::ws, rest);
        if (kind == "vrf") {
            left.vrf = rest;
        } else if (kind == "mark") {
            left.mark = static_cast<std::uint32_t>(std::stoul(rest));
        } else if (kind == "there") {
            left.is_there = true;
        } else if (kind == "port") {
            left.ports.push_back(rest);
        } else if (kind == "rule") {
            left.rules.insert(rest);
        }
    }
    return left;
}

void remember(const RunFile& file, const Vrf& vrf, const std::optional<VrfDevice>& device, const MarkRules& rules) {
    file.write(0, [&](Replacement& replacement) {
        replacement.write(fmt::format("vrf {}\nmark {}\n{}", vrf.name, vrf.mark, device ? "there\n" : ""));
        for (const std::string& port : vrf.ports) {
            replacement.write(fmt::format("port {}\n", port));
        }
        for (const MarkRule& rule : rules) {
            replacement.write(fmt::format("rule {}\n", rule.text()));
        }
    });
}

void say(Netlink& netlink, std::uint16_t type, unsigned flags, const MarkRule& rule, int harmless) {
    Request request(type, flags, netlink.next_sequence());
    auto& header = request.header<fib_rule_hdr>();
    header.family = rule.family == Family::ipv4 ? AF_INET : AF_INET6;
    header.action = FR_ACT_TO_TBL;
    request.put(FRA_PRIORITY, priority_of_marks).put(FRA_FWMARK, rule.mark).put(FRA_FWMASK, rule.mark);
    request.put(FRA_TABLE, rule.table).put_byte(FRA_PROTOCOL, our_protocol);
    const Answer answer = netlink.ask(request.take(), [](Message) {});
    const int error = answer.refusal ? answer.refusal->error : 0;
    if (error != 0 && error != harmless && error != EAFNOSUPPORT && error != EOPNOTSUPP) {
        throw CannotGoOn{fmt::format("cannot {} the {}: {}", type == RTM_NEWRULE ? "add" : "remove", rule.text(),
                                     std::strerror(error))};
    }
}

// For both families, so that pairs may come to be in the other one.
MarkRules wanted(const Configuration& configuration, const std::optional<VrfDevice>& device) {
    MarkRules rules;
    if (configuration.vrf && device && !configuration.pairs.empty()) {
        for (const Family family : families) {
            rules.insert({family, configuration.vrf->mark, device->table});
        }
    }
    return rules;
}

// Of this instance, which has its marks alone.
MarkRules present(Netlink& netlink, const Configuration& configuration, const Left& left) {
    MarkRules rules = mark_rules(netlink);
    std::erase_if(rules, [&](const MarkRule& rule) {
        return rule.mark != left.mark && !(configuration.vrf && rule.mark == configuration.vrf->mark);
    });
    return rules;
}

MarkRules without(const MarkRules& one, const MarkRules& other) {
    MarkRules left;
    std::set_difference(one.begin(), one.end(), other.begin(), other.end(), std::inserter(left, left.end()));
    return left;
}

void reflect(const RunFile& record) {
    std::string changed;
    for (const char* name : reflections) {
        if (read_setting(name) == "0") {
            changed += fmt::format("{}\n", name);
        }
    }
    if (changed.empty()) {
        return;
    }
    record.write(0, [&](Replacement& replacement) { replacement.write(changed); });
    std::istringstream names(changed);
    for (std::string name; std::getline(names, name);) {
        write_setting(name, "1");
    }
}

void reflect_no_more(const RunFile& record) {
    auto opened = record.open();
    for (std::string name; opened && std::getline(opened->rest, name);) {
        write_setting(name, "0");
    }
    record.remove();
}

std::optional<VrfDevice> device_of(Netlink& netlink, const Configuration& configuration) {
    return configuration.vrf ? find_vrf(netlink, configuration.vrf->name) : std::nullopt;
}

std::string summary(const MarkRules& added, const MarkRules& removed) {
    std::vector<std::string> parts;
    for (const auto& [verb, rules] : {std::pair("added", &added), std::pair("removed", &removed)}) {
        if (!rules->empty()) {
            parts.push_back(fmt::format("{} {}", verb, quantity(rules->size(), "policy rule")));
        }
    }
    return parts.empty() ? std::string(nothing_to_change) : fmt::format("{}", fmt::join(parts, ", "));
}

}  // namespace

std::vector<std::string> ports_of(const std::string& vrf) {
    Netlink netlink(open_route_socket());
    const auto device = find_vrf(netlink, vrf);
    return device ? device->ports : std::vector<std::string>();
}

std::string deliver(const Configuration& configuration, const DeliveryRecords& records, bool alone) {
    const Left left = left_by(records.left);
    if (!configuration.vrf && left.vrf.empty()) {
        return std::string(nothing_to_change);
    }
    Netlink netlink(open_route_socket());
    const auto device = device_of(netlink, configuration);
    const MarkRules rules = wanted(configuration, device);
    const MarkRules there = present(netlink, configuration, left);
    const bool has_any = configuration.vrf && !configuration.pairs.empty();
    if (has_any) {
        remember(records.left, *configuration.vrf, device, rules);
        reflect(records.setting);
    }
    for (const MarkRule& rule : without(rules, there)) {
        say(netlink, RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, rule, EEXIST);
    }
    for (const MarkRule& rule : without(there, rules)) {
        say(netlink, RTM_DELRULE, 0, rule, ENOENT);
    }
    if (!has_any) {
        records.left.remove();
        if (alone) {
            reflect_no_more(records.setting);
        }
    } else if (!device) {
        spdlog::warn("there is no VRF {}: what comes for external addresses gets nowhere until there is one and a sync "
                     "has seen it, as watch does",
                     configuration.vrf->name);
    }
    return summary(without(rules, there), without(there, rules));
}

std::vector<std::string> changes_of_delivery(const Configuration& configuration, const RunFile& left) {
    const Left before = left_by(left);
    if (!configuration.vrf && before.vrf.empty()) {
        return {};
    }
    Netlink netlink(open_route_socket());
    const MarkRules rules = wanted(configuration, device_of(netlink, configuration));
    const MarkRules there = present(netlink, configuration, before);
    std::vector<std::string> lines;
    for (const MarkRule& rule : without(rules, there)) {
        lines.push_back("+ " + rule.text());
    }
    for (const MarkRule& rule : without(there, rules)) {
        lines.push_back("- " + rule.text());
    }
    return lines;
}

std::vector<std::string> astray(const RunFile& file) {
    const Left left = left_by(file);
    if (left.vrf.empty()) {
        return {};
    }
    Netlink netlink(open_route_socket());
    const auto device = find_vrf(netlink, left.vrf);
    std::vector<std::string> sentences;
    if (left.is_there && !device) {
        return {fmt::format("VRF {} is gone", left.vrf)};
    }
    if (!left.is_there && device) {
        return {fmt::format("there is a VRF {} by now", left.vrf)};
    }
    if (device && device->ports != left.ports) {
        sentences.push_back(fmt::format("VRF {} has other ports", left.vrf));
    }
    std::set<std::string> there;
    for (const MarkRule& rule : mark_rules(netlink)) {
        there.insert(rule.text());
        if (rule.mark == left.mark && !left.rules.contains(rule.text())) {
            sentences.push_back(rule.text() + " is somebody else's");
        }
    }
    for (const std::string& rule : left.rules) {
        if (!there.contains(rule)) {
            sentences.push_back(rule + " is gone");
        }
    }
    return sentences;
}

}  // namespace statnat
