// SPDX-License-Identifier: GPL-2.0-or-later
#include "vrf/survey.hpp"

#include "error.hpp"
#include "netlink/patience.hpp"
#include "routing/ours.hpp"
#include "routing/parts.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <functional>
#include <map>

#include <fmt/format.h>
#include <linux/fib_rules.h>

namespace statnat {
namespace {

constexpr std::chrono::seconds longest(30);

using Question = std::function<Bytes(std::uint32_t sequence)>;

// Again where somebody has changed it meanwhile. A kernel without a family has none of it.
std::vector<Bytes> dump(Netlink& netlink, const Question& question) {
    for (Patience patience(longest); patience.lasts();) {
        std::vector<Bytes> messages;
        const Answer answer =
            netlink.ask(question(netlink.next_sequence()),
                        [&](Message message) { messages.emplace_back(message.begin(), message.end()); });
        const int error = answer.refusal ? answer.refusal->error : 0;
        if (error != 0 && error != EAFNOSUPPORT && error != EOPNOTSUPP) {
            throw CannotGoOn{fmt::format("the kernel does not tell its links and policy rules: {}",
                                         std::strerror(error))};
        }
        if (!answer.interrupted && !answer.incomplete) {
            return messages;
        }
    }
    throw CannotGoOn{"this machine's links or policy rules change all the time: try again while they do not"};
}

std::uint32_t number(const Attributes& attributes, std::uint16_t type) {
    return load<std::uint32_t>(attributes.bytes(type)).value_or(0);
}

}  // namespace

std::string MarkRule::text() const {
    return fmt::format("{}policy rule {}: from all fwmark {:#x}/{:#x} lookup {}", family == Family::ipv4 ? "" : "IPv6 ",
                       priority_of_marks, mark, mark, table);
}

std::optional<VrfDevice> find_vrf(Netlink& netlink, const std::string& name) {
    std::optional<VrfDevice> found;
    std::uint32_t index = 0;
    std::multimap<std::uint32_t, std::string> names;  // by who is over them
    const auto links = dump(netlink, [](std::uint32_t sequence) {
        Request question(RTM_GETLINK, NLM_F_DUMP, sequence);
        question.header<ifinfomsg>();
        return question.take();
    });
    for (const Bytes& message : links) {
        const auto link = Parts<ifinfomsg>::of(message);
        if (!link) {
            continue;
        }
        const auto& [header, attributes] = *link;
        const Attributes info = attributes.nest(IFLA_LINKINFO);
        if (attributes.text(IFLA_IFNAME) == name && info.text(IFLA_INFO_KIND) == "vrf") {
            found = VrfDevice{number(info.nest(IFLA_INFO_DATA), IFLA_VRF_TABLE)};
            index = static_cast<std::uint32_t>(header.ifi_index);
        } else if (attributes.has(IFLA_MASTER)) {
            names.emplace(number(attributes, IFLA_MASTER), attributes.text(IFLA_IFNAME));
        }
    }
    const auto [first, last] = names.equal_range(index);
    for (auto port = first; found && port != last; ++port) {
        found->ports.push_back(port->second);
    }
    if (found) {
        std::sort(found->ports.begin(), found->ports.end());
    }
    return found;
}

std::set<MarkRule> mark_rules(Netlink& netlink) {
    std::set<MarkRule> found;
    for (const Family family : families) {
        const auto rules = dump(netlink, [&](std::uint32_t sequence) {
            Request question(RTM_GETRULE, NLM_F_DUMP, sequence);
            question.header<fib_rule_hdr>().family = family == Family::ipv4 ? AF_INET : AF_INET6;
            return question.take();
        });
        for (const Bytes& message : rules) {
            const auto rule = Parts<fib_rule_hdr>::of(message);
            if (rule && load<std::uint8_t>(rule->attributes.bytes(FRA_PROTOCOL)).value_or(0) == our_protocol &&
                number(rule->attributes, FRA_PRIORITY) == priority_of_marks) {
                found.insert({family, number(rule->attributes, FRA_FWMARK), number(rule->attributes, FRA_TABLE)});
            }
        }
    }
    return found;
}

}  // namespace statnat
