// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/neighbours.hpp"

#include "neighbours/announcement.hpp"
#include "neighbours/answers.hpp"
#include "neighbours/arp_chain.hpp"
#include "neighbours/performance.hpp"
#include "neighbours/record.hpp"
#include "neighbours/settings.hpp"
#include "neighbours/steps.hpp"
#include "netlink/socket.hpp"
#include "printable.hpp"
#include "quantity.hpp"

#include <algorithm>
#include <set>
#include <string_view>

#include <fmt/format.h>
#include <net/if.h>
#include <spdlog/spdlog.h>

namespace statnat {
namespace {

void warn(const std::vector<std::string>& sentences) {
    for (const std::string& sentence : sentences) {
        spdlog::warn("{}", printable(sentence));
    }
}

void refuse_instance(const Kernel& kernel, std::string_view whose) {
    if (kernel.instance().is_named()) {
        throw CannotGoOn{fmt::format("{} are those of {}: leave --instance out", whose, Instance().text()), exit_usage};
    }
}

// For routing daemons: a beacon of each family that has pairs, and what a shard has of the world's addresses.
std::set<Prefix> announced_by(const Configuration& configuration) {
    std::set<Prefix> routes;
    if (!configuration.announce) {
        return routes;
    }
    for (const std::string_view text : beacons) {
        const Address beacon = *Address::parse(std::string(text));
        const auto& tiers = configuration.pairs.tiers();
        if (std::any_of(tiers.begin(), tiers.end(),
                        [&](const auto& one) { return one.first.family == beacon.family; })) {
            routes.insert(Prefix::host(beacon));
        }
    }
    if (configuration.source) {
        routes.insert(configuration.source->only.begin(), configuration.source->only.end());
    }
    return routes;
}

// What comes back when the drain ends.
void keep_drained(const RunFile& file, const std::set<Prefix>& routes) {
    file.write(0, [&](Replacement& replacement) {
        for (const Prefix& route : routes) {
            replacement.write(route.text() + "\n");
        }
    });
}

std::set<Prefix> recall_drained(const RunFile& file) {
    std::set<Prefix> routes;
    auto opened = file.open();
    for (std::string line; opened && std::getline(opened->rest, line);) {
        if (const auto route = Prefix::parse(line)) {
            routes.insert(*route);
        }
    }
    return routes;
}

// Has the external addresses of pairs answered for, and no others any more, and routes beside those; without any,
// undoes all of that. Returns what changed. Throws CannotGoOn.
std::string answer_for(const Pairs& pairs, const std::set<Prefix>& announced, const Kernel& kernel,
                       Announce announce = Announce::no) {
    Netlink netlink(open_route_socket());
    const Neighbourhood around = look_around(netlink);
    Answers wanted = answers(pairs, around);
    wanted.routes.insert(announced.begin(), announced.end());
    wanted.drained = is_drained(kernel);
    if (wanted.drained) {
        keep_drained(kernel.drain(), wanted.routes);
    }
    const std::string chain = arp_table_text(wanted);
    NeighboursRecord record = recall(kernel.neighbours());
    const ChangedSettings before = record.settings;
    const Steps todo = steps(wanted, around, read_settings(wanted.settings, before), before);
    std::vector<std::string> said;
    ArpTable table(record.chain);
    const bool rewrite = !table.is(chain);
    if (rewrite && !chain.empty()) {  // before the kernel answers for more
        table.become(chain);
        said.emplace_back("wrote the ARP chain");
    }
    // Before it is done, so that whatever happens in between can be undone.
    for (const auto& [name, changed] : todo.to_remember) {
        record.settings[name] = changed;
    }
    record.chain = table.remember();
    keep(kernel.neighbours(), record);
    warn(perform(todo, netlink));
    if (rewrite && chain.empty()) {
        table.become(chain);
        said.emplace_back("deleted the ARP chain");
    }
    keep(kernel.neighbours(), {todo.to_remember, table.remember(), !announced.empty()});
    warn(warnings(wanted));
    if (announce == Announce::yes) {
        said.push_back(fmt::format("sent {}", quantity(statnat::announce(wanted, around), "announcement")));
    }
    return summary(todo, said);
}

}  // namespace

std::string answer_as_configured(const Configuration& configuration, const Kernel& kernel) {
    const std::set<Prefix> announced = announced_by(configuration);
    const bool answers = configuration.neighbours.value_or(false);
    if (answers || !announced.empty()) {
        return answer_for(answers ? configuration.pairs : Pairs(), announced, kernel);
    }
    const bool has_announced = recall(kernel.neighbours()).announced;
    return configuration.neighbours || has_announced ? answer_for_nobody(kernel) : std::string(nothing_to_change);
}

std::string answer_for_nobody(const Kernel& kernel) {
    const bool none = recall(kernel.neighbours()) == NeighboursRecord{} &&
                      ::if_nametoindex(std::string(neighbours_device).c_str()) == 0;
    return none ? std::string(nothing_to_change) : answer_for({}, {}, kernel);
}

std::vector<Prefix> withdraw() {
    Netlink netlink(open_route_socket(Asking::strictly));
    const Steps todo{.remove_routes = look_for_our_routes(netlink)};
    perform(todo, netlink);
    std::vector<Prefix> gone;
    for (const Route& route : todo.remove_routes) {
        gone.push_back(route.destination);
    }
    return gone;
}

void put_back(const std::vector<Prefix>& routes, const Kernel& kernel) {
    const bool is_there = ::if_nametoindex(std::string(neighbours_device).c_str()) != 0;
    if (!routes.empty() && is_there && !is_drained(kernel)) {
        Netlink netlink(open_route_socket());
        perform(Steps{.add_routes = routes}, netlink);  // what is there already stays
    }
}

bool is_drained(const Kernel& kernel) {
    return kernel.drain().open().has_value();
}

int neighbours(Kernel& kernel, const Path& file, const std::optional<EngineChoice>& engine, Announce announce,
               Progress& progress, std::ostream& out) {
    refuse_instance(kernel, "neighbours");
    const Configuration configuration = read_desired(file, progress).configuration;
    const Loadable loaded = loadable(kernel, engine.value_or(configuration.engine), configuration,
                                     kernel.read(Depth::known).ruleset);
    out << answer_for(loaded.configuration.pairs, announced_by(loaded.configuration), kernel, announce) << '\n';
    warn_of_losses(loaded);
    return loaded.status();
}

int drain(Kernel& kernel, std::ostream& out) {
    refuse_instance(kernel, "routes");
    const bool was_drained = is_drained(kernel);
    std::set<Prefix> routes = recall_drained(kernel.drain());
    Netlink netlink(open_route_socket(Asking::strictly));
    for (const Route& route : look_for_our_routes(netlink)) {
        routes.insert(route.destination);
    }
    keep_drained(kernel.drain(), routes);  // before they go, or whoever syncs now brings them back
    if (!is_drained(kernel)) {
        throw CannotGoOn{"cannot write down in /run/statnat that this gateway is drained: nothing has been done"};
    }
    const std::size_t count = withdraw().size();
    out << (was_drained && count == 0 ? std::string(nothing_to_change)
                                      : fmt::format("drained, removed {}", quantity(count, "route")))
        << '\n';
    return exit_done;
}

int end_drain(Kernel& kernel, const std::vector<std::string>& ailments, std::ostream& out) {
    refuse_instance(kernel, "routes");
    if (!is_drained(kernel)) {
        out << nothing_to_change << '\n';
        return exit_done;
    }
    if (!ailments.empty()) {
        throw CannotGoOn{fmt::format("still drained, for nobody is to send here yet: {}", ailments.front())};
    }
    const std::set<Prefix> routes = recall_drained(kernel.drain());
    kernel.drain().remove();
    put_back({routes.begin(), routes.end()}, kernel);
    out << fmt::format("no more drained, added {}\n", quantity(routes.size(), "route"));
    return exit_done;
}

}  // namespace statnat
