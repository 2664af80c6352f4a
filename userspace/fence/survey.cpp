// SPDX-License-Identifier: GPL-2.0-or-later
#include "fence/survey.hpp"

#include "error.hpp"
#include "fence/filters.hpp"
#include "neighbours/settings.hpp"
#include "netlink/netlink.hpp"
#include "netlink/patience.hpp"
#include "routing/ours.hpp"
#include "routing/parts.hpp"

#include <cerrno>
#include <cstring>
#include <functional>

#include <fmt/format.h>
#include <linux/fib_rules.h>

namespace statnat {
namespace {

constexpr std::chrono::seconds longest(30);

std::uint8_t number_of(Family family) {
    return family == Family::ipv4 ? AF_INET : AF_INET6;
}

Bytes ask_for_rules(Family family, std::uint32_t sequence) {
    Request question(RTM_GETRULE, NLM_F_DUMP, sequence);
    question.header<fib_rule_hdr>().family = number_of(family);
    return question.take();
}

Bytes ask_for_routes(Family family, std::uint32_t sequence) {
    Request question(RTM_GETROUTE, NLM_F_DUMP, sequence);
    auto& header = question.header<rtmsg>();
    header.rtm_family = number_of(family);
    header.rtm_table = our_table;
    return question.take();
}

// A kernel without this family, or that has no such table, has none of it.
bool is_none(int error) {
    return error == EAFNOSUPPORT || error == EOPNOTSUPP || error == ENOENT;
}

// Again where somebody has changed it meanwhile.
std::vector<Bytes> dump(Netlink& netlink, Family family, Bytes (*question)(Family, std::uint32_t)) {
    for (Patience patience(longest); patience.lasts();) {
        std::vector<Bytes> messages;
        const Answer answer =
            netlink.ask(question(family, netlink.next_sequence()),
                        [&](Message message) { messages.emplace_back(message.begin(), message.end()); });
        if (answer.refusal && !is_none(answer.refusal->error)) {
            throw CannotGoOn{fmt::format("the kernel does not tell its policy rules and routes: {}",
                                         std::strerror(answer.refusal->error))};
        }
        if (!answer.interrupted && !answer.incomplete) {
            return messages;
        }
    }
    throw CannotGoOn{"this machine's policy rules or routes change all the time: try again while they do not"};
}

std::uint32_t number(const Attributes& attributes, std::uint16_t type) {
    return load<std::uint32_t>(attributes.bytes(type)).value_or(0);
}

std::optional<Prefix> prefix_in(const Attributes& attributes, std::uint16_t type, std::uint8_t length) {
    const auto address = address_of(attributes.bytes(type));
    return address && length <= full_length(address->family) ? std::optional(Prefix::of(*address, length))
                                                             : std::nullopt;
}

void take_rule(const Parts<fib_rule_hdr>& rule, Family family, Fence& found) {
    const auto& [header, attributes] = rule;
    const std::uint32_t priority = number(attributes, FRA_PRIORITY);
    if (load<std::uint8_t>(attributes.bytes(FRA_PROTOCOL)).value_or(0) != our_protocol || priority == 0 ||
        priority > static_cast<std::uint32_t>(Station::end)) {
        return;
    }
    PolicyRule taken{family, static_cast<Station>(priority), number(attributes, FRA_FWMARK), {}};
    taken.prefix = taken.station == Station::exempt ? prefix_in(attributes, FRA_DST, header.dst_len)
                                                    : prefix_in(attributes, FRA_SRC, header.src_len);
    found.rules.insert(taken);
}

void take_route(const Parts<rtmsg>& route, Fence& found) {
    const auto& [header, attributes] = route;
    const std::uint32_t table = attributes.has(RTA_TABLE) ? number(attributes, RTA_TABLE) : header.rtm_table;
    const auto destination = prefix_in(attributes, RTA_DST, header.rtm_dst_len);
    if (table == our_table && header.rtm_protocol == our_protocol && destination) {
        found.routes.insert(*destination);
    }
}

}  // namespace

Fence survey() {
    Netlink netlink(open_route_socket(Asking::strictly));
    Fence found;
    for (const Family family : families) {
        for (const Bytes& message : dump(netlink, family, ask_for_rules)) {
            if (const auto rule = Parts<fib_rule_hdr>::of(message)) {
                take_rule(*rule, family, found);
            }
        }
        for (const Bytes& message : dump(netlink, family, ask_for_routes)) {
            if (const auto route = Parts<rtmsg>::of(message)) {
                take_route(*route, found);
            }
        }
    }
    found.filters = filters_there(netlink);
    found.asks_with_marks = read_setting(src_valid_mark) == "1";
    return found;
}

}  // namespace statnat
