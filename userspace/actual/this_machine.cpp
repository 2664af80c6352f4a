// SPDX-License-Identifier: GPL-2.0-or-later
#include "actual/this_machine.hpp"

#include "actual/routes.hpp"
#include "error.hpp"
#include "printable.hpp"

#include <fstream>
#include <string>

#include <spdlog/spdlog.h>

namespace statnat {
namespace {

constexpr const char* state_directory = "/run/statnat";

Records records(const Instance& instance) {
    const auto cookie = network_namespace();
    std::string boot;
    std::ifstream("/proc/sys/kernel/random/boot_id") >> boot;
    if (!cookie || boot.empty()) {
        return {};
    }
    const RunDirectory directory{state_directory, *cookie, boot, instance.name()};
    const RunDirectory of_all{state_directory, *cookie, boot};
    return {StateFile(directory),        Baseline(directory),       RunFile(directory, "neighbours"),
            RunFile(directory, "fence"), RunFile(directory, "vrf"), RunFile(of_all, "reflection"),
            Restores(directory),         RunFile(directory, "interfaces"),
            RunFile(directory, "source"), RunFile(directory, "drain")};
}

}  // namespace

Kernel this_kernel(const Instance& instance, Progress& progress) {
    return {{open_socket, open_event_socket}, records(instance), progress, longest_patience, instance};
}

Machine this_machine(const std::function<void(Netlink&, Machine&)>& more) {
    Machine machine;
    try {
        Netlink netlink(open_route_socket());
        machine.own = read_own_addresses(netlink);
        more(netlink, machine);
    } catch (const CannotGoOn& failure) {
        spdlog::debug("{}", failure.sentence);
    }
    return machine;
}

std::vector<InterfaceAddress> addresses_of_interfaces() {
    Netlink netlink(open_route_socket());
    return read_interface_addresses(netlink);
}

void warn_of_this_machine(const Pairs& pairs) {
    if (!pairs.prefixes().empty()) {
        const Machine machine =
            this_machine([](Netlink& netlink, Machine& found) { found.routers = read_routers(netlink); });
        for (const std::string& sentence : warnings(pairs, machine)) {
            spdlog::warn("{}", printable(sentence));
        }
    }
}

}  // namespace statnat
