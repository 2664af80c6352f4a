// SPDX-License-Identifier: GPL-2.0-or-later
#include "fence/upkeep.hpp"

#include "error.hpp"
#include "fence/filters.hpp"
#include "fence/record.hpp"
#include "fence/survey.hpp"
#include "names.hpp"
#include "neighbours/performance.hpp"
#include "neighbours/settings.hpp"
#include "neighbours/steps.hpp"
#include "netlink/netlink.hpp"
#include "quantity.hpp"
#include "routing/ours.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <linux/fib_rules.h>

namespace statnat {
namespace {

// What was there is no loss, nor what is gone already.
void refuse(int error, int harmless, const std::string& what) {
    if (error == EPERM) {
        throw CannotGoOn{fmt::format("cannot {}: it needs CAP_NET_ADMIN", what)};
    }
    if (error != 0 && error != harmless) {
        throw CannotGoOn{fmt::format("cannot {}: {}", what, std::strerror(error))};
    }
}

void put_prefix(Request& request, std::uint16_t type, const Prefix& prefix) {
    request.put(type, Message(prefix.address.bytes.data(), prefix.address.size()));
}

class Work {
public:
    Work() : netlink_(open_route_socket()) {}

    void add(const PolicyRule& rule) {
        refuse(say(RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, rule), EEXIST, "add the " + rule.text());
    }
    void remove(const PolicyRule& rule) { refuse(say(RTM_DELRULE, 0, rule), ENOENT, "remove the " + rule.text()); }

    void add(const Prefix& destination, std::uint32_t link) {
        refuse(say(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, destination, link), 0,
               fmt::format("add the route to {} in table 83", destination.text()));
    }
    void remove(const Prefix& destination, std::uint32_t link) {
        refuse(say(RTM_DELROUTE, 0, destination, link), ESRCH,
               fmt::format("remove the route to {} in table 83", destination.text()));
    }

    bool add(const Filter& filter) { return add_filter(netlink_, filter); }
    void remove(const Filter& filter, bool with_holder) { remove_filter(netlink_, filter, with_holder); }

    // The link that the routes leave by, made where there is none.
    std::uint32_t device() {
        Steps steps;
        plan_device(true, look_around(netlink_), steps);
        perform(steps, netlink_);
        return static_cast<std::uint32_t>(look_around(netlink_).device().value_or(0));
    }

    // Unless somebody needs it still.
    void leave_device() {
        const Neighbourhood around = look_around(netlink_);
        Steps steps;
        plan_device(around.fenced || !around.our_routes.empty(), around, steps);
        perform(steps, netlink_);
    }

private:
    int say(std::uint16_t type, unsigned flags, const PolicyRule& rule) {
        Request request(type, flags, netlink_.next_sequence());
        auto& header = request.header<fib_rule_hdr>();
        header.family = rule.family == Family::ipv4 ? AF_INET : AF_INET6;
        request.put(FRA_PRIORITY, static_cast<std::uint32_t>(rule.station));
        request.put_byte(FRA_PROTOCOL, our_protocol);
        switch (rule.station) {
        case Station::pass:
            header.action = FR_ACT_GOTO;
            if (rule.mark == 0) {
                request.put(FRA_IIFNAME, std::string_view("lo\0", 3));
            } else {
                request.put(FRA_FWMARK, rule.mark).put(FRA_FWMASK, rule.mark);
            }
            break;
        case Station::inbound:
            header.action = FR_ACT_TO_TBL;
            header.table = our_table;
            break;
        case Station::exempt:
            header.action = FR_ACT_GOTO;
            header.dst_len = rule.prefix->length;
            put_prefix(request, FRA_DST, *rule.prefix);
            break;
        case Station::outbound:
            header.action = FR_ACT_BLACKHOLE;
            header.src_len = rule.prefix->length;
            put_prefix(request, FRA_SRC, *rule.prefix);
            break;
        case Station::end: header.action = FR_ACT_NOP; break;
        }
        if (header.action == FR_ACT_GOTO) {
            request.put(FRA_GOTO, static_cast<std::uint32_t>(Station::end));
        }
        return say(request);
    }

    int say(std::uint16_t type, unsigned flags, const Prefix& destination, std::uint32_t link) {
        Request request(type, flags, netlink_.next_sequence());
        put_route(request, destination, link, our_table);
        return say(request);
    }

    int say(Request& request) {
        const Answer answer = netlink_.ask(request.take(), [](Message) {});
        return answer.refusal ? answer.refusal->error : 0;
    }

    Netlink netlink_;
};

// What lets pass first, and goes last. Returns the interfaces that hold no filters but for ours.
std::set<std::string> build(const Fence& to_add, const Fence& to_remove, const std::set<std::string>& held_for_us) {
    Work work;
    for (const Filter& filter : to_remove.filters) {
        work.remove(filter, held_for_us.contains(filter.interface));
    }
    const auto each = [&](const Fence& of, bool holds_back, auto act) {
        for (auto rule = of.rules.rbegin(); rule != of.rules.rend(); ++rule) {
            if (rule->holds_back() == holds_back) {
                act(*rule);
            }
        }
    };
    each(to_add, false, [&](const PolicyRule& rule) { work.add(rule); });
    const std::uint32_t link = to_add.routes.empty() ? 0 : work.device();
    for (const Prefix& route : to_add.routes) {
        work.add(route, link);
    }
    each(to_add, true, [&](const PolicyRule& rule) { work.add(rule); });
    each(to_remove, true, [&](const PolicyRule& rule) { work.remove(rule); });
    for (const Prefix& route : to_remove.routes) {
        work.remove(route, 0);
    }
    each(to_remove, false, [&](const PolicyRule& rule) { work.remove(rule); });
    if (!to_remove.routes.empty()) {
        work.leave_device();
    }
    std::set<std::string> held;
    for (const Filter& filter : to_add.filters) {
        if (work.add(filter)) {
            held.insert(filter.interface);
        }
    }
    return held;
}

std::string summary(const Fence& added, const Fence& removed) {
    std::vector<std::string> parts;
    const auto say = [&](const char* verb, std::size_t number, const char* thing) {
        if (number != 0) {
            parts.push_back(fmt::format("{} {}", verb, quantity(number, thing)));
        }
    };
    say("added", added.rules.size(), "policy rule");
    say("added", added.routes.size(), "route");
    say("added", added.filters.size(), "filter");
    say("removed", removed.rules.size(), "policy rule");
    say("removed", removed.routes.size(), "route");
    say("removed", removed.filters.size(), "filter");
    say("changed", added.asks_with_marks ? 1 : 0, "setting");
    return parts.empty() ? std::string(nothing_to_change) : fmt::format("{}", fmt::join(parts, ", "));
}

std::string become(const Fence& wanted, const Fence& there, const std::vector<std::string>& external,
                   const RunFile& record) {
    const Fence to_add = without(wanted, there);
    const Fence to_remove = without(there, wanted);
    FenceRecord left = recall_fence(record).value_or(FenceRecord{});
    left.external = external;
    left.changed_setting = left.changed_setting || to_add.asks_with_marks;
    keep(left, wanted, record);  // whatever happens in between can be undone, and what does not is missed
    if (to_add.asks_with_marks) {
        write_setting(src_valid_mark, "1");
    }
    if (!to_add.empty() || !to_remove.empty()) {
        left.held.merge(build(to_add, to_remove, left.held));
    }
    if (left.changed_setting && !wanted.asks_with_marks) {
        write_setting(src_valid_mark, "0");
        left.changed_setting = false;
    }
    keep(left, wanted, record);
    return summary(to_add, to_remove);
}

constexpr std::string_view filter_word = "filter on ";

bool has_rules(const Fence& fence, Family family) {
    return std::any_of(fence.rules.begin(), fence.rules.end(),
                       [&](const PolicyRule& rule) { return rule.family == family; });
}

}  // namespace

void open_for(const Configuration& coming, const RunFile& record) {
    const Fence there = survey();
    const Fence wanted = there.empty() ? Fence{} : fence(coming, interfaces_there());
    Fence passing;
    Fence in_the_way;
    in_the_way.filters = without(there, wanted).filters;
    for (const PolicyRule& rule : there.rules) {
        if (rule.holds_back() && !has_rules(wanted, rule.family)) {
            in_the_way.rules.insert(rule);
        }
    }
    for (const PolicyRule& rule : wanted.rules) {
        if (!rule.holds_back() && has_rules(there, rule.family) && !there.rules.contains(rule)) {
            passing.rules.insert(rule);
        }
    }
    if (!passing.empty() || !in_the_way.empty()) {
        build(passing, in_the_way, recall_fence(record).value_or(FenceRecord{}).held);
    }
}

std::string close_behind(const Configuration& configuration, const RunFile& record) {
    return become(fence(configuration, interfaces_there()), survey(), configuration.external_interfaces, record);
}

void close_around(const Configuration& configuration, const std::vector<Family>& families_left,
                  const RunFile& record) {
    const Fence there = survey();
    Fence staying = there;
    const auto is_gone = [&](Family family) {
        return std::find(families_left.begin(), families_left.end(), family) == families_left.end();
    };
    std::erase_if(staying.rules, [&](const PolicyRule& rule) { return is_gone(rule.family); });
    std::erase_if(staying.routes, [&](const Prefix& route) { return is_gone(route.address.family); });
    staying.asks_with_marks = has_rules(staying, Family::ipv4);
    if (staying.rules.empty()) {
        staying.filters.clear();
    }
    become(joined(staying, fence(configuration, interfaces_there())), there, configuration.external_interfaces, record);
}

std::string take_down(const RunFile& record) {
    return become({}, survey(), {}, record);
}

std::vector<std::string> gaps(const RunFile& record) {
    const auto left = recall_fence(record);
    if (!left) {
        return {};
    }
    Fence found = survey();
    found.asks_with_marks = found.asks_with_marks && left->lines.contains(lines({.asks_with_marks = true}).front());
    const std::vector<std::string> all = lines(found);
    const std::set<std::string> there(all.begin(), all.end());
    // Filters go with their interfaces, and there are more where interfaces have come.
    std::set<std::string> wanted = left->lines;
    std::erase_if(wanted, [](const std::string& line) { return line.starts_with(filter_word); });
    std::vector<std::string> sentences;
    for (const std::string& name : interfaces_there()) {
        const bool is_external = std::any_of(left->external.begin(), left->external.end(),
                                             [&](const auto& pattern) { return interface_covers(pattern, name); });
        const std::string begin = fmt::format("{}{}:", filter_word, name);
        const bool stands =
            std::any_of(all.begin(), all.end(), [&](const auto& line) { return line.starts_with(begin); });
        if (is_external && !stands) {
            sentences.push_back(fmt::format("{}{} is gone", filter_word, name));
        }
    }
    for (const std::string& line : wanted) {
        if (!there.contains(line)) {
            sentences.push_back(line + " is gone");
        }
    }
    for (const std::string& line : there) {
        if (!wanted.contains(line) && !line.starts_with(filter_word)) {
            sentences.push_back(line + " is somebody else's");
        }
    }
    return sentences;
}

}  // namespace statnat
