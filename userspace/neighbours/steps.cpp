// SPDX-License-Identifier: GPL-2.0-or-later
#include "neighbours/steps.hpp"

#include "error.hpp"
#include "quantity.hpp"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace statnat {
namespace {

template <class Set>
std::vector<typename Set::value_type> difference(const Set& all, const Set& other) {
    std::vector<typename Set::value_type> left;
    std::set_difference(all.begin(), all.end(), other.begin(), other.end(), std::back_inserter(left));
    return left;
}

// What others have set in the meantime is theirs.
void plan_settings(const Answers& wanted, const Settings& actual, const ChangedSettings& changed, Steps& steps) {
    for (const auto& [name, value] : wanted.settings) {
        const auto now = actual.find(name);
        if (now == actual.end() || now->second != value) {
            steps.set[name] = value;
            steps.to_remember[name] = {now == actual.end() ? value : now->second, value};
        } else if (const auto known = changed.find(name); known != changed.end()) {
            steps.to_remember.insert(*known);
        }
    }
    for (const auto& [name, before] : changed) {
        const auto now = actual.find(name);
        if (!wanted.settings.contains(name) && now != actual.end() && now->second == before.now) {
            steps.set[name] = before.before;
        }
    }
}

}  // namespace

void plan_device(bool wanted, const Neighbourhood& around, Steps& steps) {
    const auto device = around.device();
    const bool ours = device && around.links.at(*device).alias == neighbours_alias;
    if (!wanted) {
        steps.delete_device = ours;
    } else if (device && !ours) {
        throw CannotGoOn{fmt::format("there is a device {0} which this tool has not made: give it another name "
                                     "(ip link set {0} name NAME)",
                                     neighbours_device)};
    } else {
        steps.make_device = !device;
        steps.raise_device = !device || !around.links.at(*device).up;
    }
}

bool Steps::empty() const {
    return !make_device && !raise_device && !delete_device && add_routes.empty() && add_proxies.empty() &&
           set.empty() && remove_proxies.empty() && remove_routes.empty();
}

Steps steps(const Answers& wanted, const Neighbourhood& around, const Settings& actual,
            const ChangedSettings& changed) {
    Steps steps;
    plan_device(!wanted.routes.empty() || around.fenced, around, steps);
    std::set<Route> routes;
    std::set<Prefix> present;
    const std::set<Prefix> destinations = wanted.drained ? std::set<Prefix>() : wanted.routes;
    for (const Prefix& prefix : destinations) {
        routes.insert({prefix, around.device().value_or(0)});
    }
    for (const Route& route : around.our_routes) {
        if (routes.contains(route)) {
            present.insert(route.destination);
        }
    }
    steps.add_routes = difference(destinations, present);
    steps.remove_routes = difference(around.our_routes, routes);
    std::set<Proxy> answered = around.our_proxies;
    answered.insert(around.proxies.begin(), around.proxies.end());
    steps.add_proxies = difference(wanted.proxies, answered);
    steps.remove_proxies = difference(around.our_proxies, wanted.proxies);
    plan_settings(wanted, actual, changed, steps);
    return steps;
}

std::string summary(const Steps& steps, const std::vector<std::string>& more) {
    std::vector<std::string> parts;
    if (steps.make_device) {
        parts.push_back(fmt::format("made {}", neighbours_device));
    }
    const auto say = [&](const char* verb, std::size_t number, const char* thing) {
        if (number != 0) {
            parts.push_back(fmt::format("{} {}", verb, quantity(number, thing)));
        }
    };
    say("added", steps.add_routes.size(), "route");
    say("removed", steps.remove_routes.size(), "route");
    say("added", steps.add_proxies.size(), "proxy neighbour");
    say("removed", steps.remove_proxies.size(), "proxy neighbour");
    say("changed", steps.set.size(), "setting");
    if (steps.delete_device) {
        parts.push_back(fmt::format("deleted {}", neighbours_device));
    } else if (steps.raise_device && !steps.make_device) {
        parts.push_back(fmt::format("switched {} on", neighbours_device));
    }
    parts.insert(parts.end(), more.begin(), more.end());
    return parts.empty() ? std::string(nothing_to_change) : fmt::format("{}", fmt::join(parts, ", "));
}

}  // namespace statnat
