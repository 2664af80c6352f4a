// SPDX-License-Identifier: GPL-2.0-or-later
#include "fence/upkeep.hpp"

#include "error.hpp"
#include "fence/survey.hpp"
#include "neighbours/performance.hpp"
#include "neighbours/settings.hpp"
#include "neighbours/steps.hpp"
#include "netlink/netlink.hpp"
#include "quantity.hpp"
#include "routing/ours.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
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

// What lets pass first, and goes last.
void build(const Fence& to_add, const Fence& to_remove) {
    Work work;
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
}

constexpr std::string_view changed_word = "changed src_valid_mark";

// What was left: whether a setting had to be changed for it, and the rest in lines.
struct Left {
    bool changed = false;
    std::set<std::string> lines{};
};

std::optional<Left> left_by(const RunFile& record) {
    auto opened = record.open();
    if (!opened) {
        return std::nullopt;
    }
    Left left;
    for (std::string line; std::getline(opened->rest, line);) {
        if (line == changed_word) {
            left.changed = true;
        } else {
            left.lines.insert(line);
        }
    }
    return left;
}

void remember(const Fence& fence, bool changed, const RunFile& record) {
    if (fence.empty()) {
        record.remove();
        return;
    }
    record.write(0, [&](Replacement& replacement) {
        if (changed) {
            replacement.write(fmt::format("{}\n", changed_word));
        }
        for (const std::string& line : lines(fence)) {
            replacement.write(line + "\n");
        }
    });
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
    say("removed", removed.rules.size(), "policy rule");
    say("removed", removed.routes.size(), "route");
    say("changed", added.asks_with_marks ? 1 : 0, "setting");
    return parts.empty() ? std::string(nothing_to_change) : fmt::format("{}", fmt::join(parts, ", "));
}

std::string become(const Fence& wanted, const Fence& there, const RunFile& record) {
    const Fence to_add = without(wanted, there);
    const Fence to_remove = without(there, wanted);
    bool changed = left_by(record).value_or(Left{}).changed;
    if (to_add.asks_with_marks) {
        changed = true;
        remember(wanted, changed, record);  // whatever happens in between can be undone
        write_setting(src_valid_mark, "1");
    }
    if (!to_add.empty() || !to_remove.empty()) {
        build(to_add, to_remove);
    }
    if (changed && !wanted.asks_with_marks) {
        write_setting(src_valid_mark, "0");
        changed = false;
    }
    remember(wanted, changed, record);
    return summary(to_add, to_remove);
}

bool has_rules(const Fence& fence, Family family) {
    return std::any_of(fence.rules.begin(), fence.rules.end(),
                       [&](const PolicyRule& rule) { return rule.family == family; });
}

}  // namespace

void open_for(const Configuration& coming) {
    const Fence there = survey();
    const Fence wanted = there.empty() ? Fence{} : fence(coming);
    Fence passing;
    Fence in_the_way;
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
        build(passing, in_the_way);
    }
}

std::string close_behind(const Configuration& configuration, const RunFile& record) {
    return become(fence(configuration), survey(), record);
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
    become(joined(staying, fence(configuration)), there, record);
}

std::string take_down(const RunFile& record) {
    return become({}, survey(), record);
}

std::vector<std::string> gaps(const RunFile& record) {
    const auto left = left_by(record);
    if (!left) {
        return {};
    }
    Fence found = survey();
    found.asks_with_marks = found.asks_with_marks && left->lines.contains(lines({.asks_with_marks = true}).front());
    const std::vector<std::string> all = lines(found);
    const std::set<std::string> there(all.begin(), all.end());
    std::vector<std::string> sentences;
    for (const std::string& line : left->lines) {
        if (!there.contains(line)) {
            sentences.push_back(line + " is gone");
        }
    }
    for (const std::string& line : there) {
        if (!left->lines.contains(line)) {
            sentences.push_back(line + " is somebody else's");
        }
    }
    return sentences;
}

}  // namespace statnat
