// SPDX-License-Identifier: GPL-2.0-or-later
#include "doctor/doctor.hpp"

#include "config/configuration_files.hpp"
#include "doctor/diagnosis.hpp"
#include "doctor/legacy.hpp"
#include "doctor/policies.hpp"
#include "doctor/roads.hpp"
#include "doctor/surroundings.hpp"
#include "doctor/trace.hpp"
#include "error.hpp"
#include "ruleset/inventory.hpp"
#include "ruleset/machine.hpp"
#include "version.hpp"
#include "vrf/survey.hpp"

#include <algorithm>
#include <fstream>
#include <set>
#include <system_error>

#include <fmt/format.h>

namespace statnat {
namespace {

// What everybody reaches, and no list of addresses that lead nowhere has: a root server of DNS. No probe gets there.
constexpr std::string_view usual_outside[] = {"193.0.14.129", "2001:7fd::1"};

// Where pairs are meant for some destinations only, one of these.
Address outside_of(Family family, const DoctorOptions& options, const std::vector<Prefix>& only) {
    const auto given = std::find_if(options.towards.begin(), options.towards.end(),
                                    [&](const Address& address) { return address.family == family; });
    if (given != options.towards.end()) {
        return *given;
    }
    const auto meant = std::find_if(only.begin(), only.end(),
                                    [&](const Prefix& prefix) { return prefix.address.family == family; });
    return meant != only.end() ? meant->last() : *Address::parse(usual_outside[family == Family::ipv6]);
}

std::vector<Family> families_of(const Pairs& pairs) {
    std::set<Family> found;
    for (const auto& [tier, halves] : pairs.tiers()) {
        found.insert(tier.family);
    }
    return {found.begin(), found.end()};
}

// Where several packets end at one rule, the first speaks for all.
void add(Troubles& found, const std::optional<Trouble>& one) {
    if (one && std::none_of(found.begin(), found.end(), [&](const Trouble& has) { return has.cure == one->cure; })) {
        found.push_back(*one);
    }
}

// As the rules know it, with what its device is now.
Inside inside_of(const Neighbourhood& around, const std::optional<Vrf>& vrf, const std::optional<VrfDevice>& device) {
    Inside inside;
    for (const auto& [index, link] : around.links) {
        if (vrf && device && link.name == vrf->name) {
            inside.vrf = index;
            inside.table = device->table;
            inside.mark = vrf->mark;
        } else if (device && std::find(device->ports.begin(), device->ports.end(), link.name) != device->ports.end()) {
            inside.ports.insert(index);
        }
    }
    return inside;
}

// Where a VRF leads outside, but not there, it may be meant so.
Trouble no_route(Netlink& netlink, const Neighbourhood& around, const Address& outside, const Inside& inside,
                 const Instance& instance) {
    const auto leads_out = [&](const Route& route) {
        return route.destination.address.family == outside.family && route.link != inside.vrf &&
               !inside.ports.contains(route.link);
    };
    const std::set<Route> routes = inside.vrf != 0 ? routes_of(netlink, inside.table) : std::set<Route>();
    if (inside.vrf != 0 && std::none_of(routes.begin(), routes.end(), leads_out)) {
        if (const auto cure = command_to_route(netlink, around, outside, inside)) {
            return {fmt::format("VRF {} has no route to {}", around.links.at(inside.vrf).name, outside.text()), *cure};
        }
    }
    return {fmt::format("there is no route to {}, so no packet was tried", outside.text()),
            instance.command("doctor") + " --towards ADDRESS, which is one outside", false};
}

// Takes those that would not come from the VRF, since their hosts are looked for elsewhere.
void take_strangers(std::vector<Probe>& all, const Neighbourhood& around, const Inside& inside, Troubles& found) {
    std::erase_if(all, [&](const Probe& probe) {
        const bool strange = inside.vrf != 0 && probe.way == Way::outbound && !inside.ports.contains(probe.link);
        if (strange) {
            const std::string& vrf = around.links.at(inside.vrf).name;
            add(found, Trouble{fmt::format("{} is looked for behind {}, which is no port of VRF {}",
                                           probe.internal.text(), probe.device.name, vrf),
                               fmt::format("ip route get {} vrf {}", probe.internal.text(), vrf)});
        }
        return strange;
    });
}

void try_packets(Netlink& netlink, const Neighbourhood& around, const Inventory& there, const Address& outside,
                 const Inside& inside, const Instance& instance, const std::string& sync, Troubles& found) {
    if (road_to(netlink, outside, inside).link == 0) {
        found.push_back(no_route(netlink, around, outside, inside, instance));
        return;
    }
    const auto interfaces = inside.vrf != 0 ? std::vector<std::string>() : there.external_interfaces;
    std::vector<Probe> all = probes(netlink, around, there.pairs, outside, interfaces, inside);
    const bool followed = there.conntrack == Conntrack::follow;
    if (followed) {
        // An answer to what conntrack never saw leave is dropped for good reasons.
        std::erase_if(all, [](const Probe& probe) { return probe.way == Way::inbound; });
    }
    if (all.empty()) {
        found.push_back({fmt::format("no host with a pair is reached by {}, so no packet was tried",
                                     name(outside.family)),
                         "ip address; ip route", false});
        return;
    }
    take_strangers(all, around, inside, found);
    const Questions ask{text_of_rule, [&](const Probe& probe) { return routing_error(netlink, probe); }, sync,
                        followed ? "" : instance.table()};
    try {
        Trace trace;
        for (const Probe& probe : all) {
            add(found, diagnosis(probe, trace.of(probe), ask));
        }
    } catch (const CannotGoOn& failure) {
        found.push_back({failure.sentence, instance.command("doctor") + ", as root of the whole machine", false});
    }
}

std::optional<Engine> engine_wanted(const std::filesystem::path& file) {
    std::error_code ignored;
    if (!std::filesystem::exists(file, ignored)) {
        return std::nullopt;
    }
    try {
        return read_configuration(file).engine;
    } catch (const InvalidConfiguration&) {  // which is for check and sync to say
        return std::nullopt;
    }
}

Troubles troubles_with_module(Kernel& kernel, std::optional<Engine> wanted, const std::string& sync) {
    if (wanted == Engine::native) {
        return {};
    }
    const Availability expression = kernel.probe();
    if (!expression.available) {
        return {{fmt::format("the module is missing: {}; pairs of prefixes wait, and ICMP errors are translated in "
                             "part",
                             expression.why_not),
                 "apt-get install nft-snat-stateless-dkms && " + sync}};
    }
    const std::string loaded = module_version();
    if (!loaded.empty() && loaded != version) {
        return {{fmt::format("the module that is loaded is of version {}, this is {}", loaded, version),
                 kernel.instance().command("clear") + " && modprobe -r nft_snat_stateless && " + sync}};
    }
    return {};
}

Troubles troubles_with_flowtables(Kernel& kernel, const std::filesystem::path& file) {
    Troubles found;
    for (const std::string& sentence : warnings_of_flowtables(kernel.flowtables())) {
        found.push_back({sentence, fmt::format("{}: conntrack = \"bypass\"", file.string()), false});
    }
    return found;
}

}  // namespace

std::string module_version() {
    std::string found;
    std::ifstream("/sys/module/nft_snat_stateless/version") >> found;
    return found;
}

int doctor(Kernel& kernel, const std::filesystem::path& file, const DoctorOptions& options, std::ostream& out) {
    const Inventory there = inventory(kernel.read().ruleset);
    Troubles found;
    const auto take = [&](const Troubles& more) { found.insert(found.end(), more.begin(), more.end()); };
    const Instance& instance = kernel.instance();
    const std::string sync = fmt::format("{} {}", instance.command("sync"), file.string());
    if (there.pairs.empty()) {
        std::error_code ignored;
        const bool is_there = std::filesystem::exists(file, ignored);
        take({{"the kernel has no pairs",
               is_there ? sync : fmt::format("statnat-nft init --output {}", file.string())}});
    }
    take(troubles_with_module(kernel, engine_wanted(file), sync));
    Netlink netlink(open_route_socket());
    const Neighbourhood around = look_around(netlink);
    const auto device = there.vrf ? find_vrf(netlink, there.vrf->name) : std::nullopt;
    const Inside inside = inside_of(around, there.vrf, device);
    const std::vector<Family> of_pairs = families_of(there.pairs);
    if (there.vrf) {
        take(troubles_with_vrf(netlink, *there.vrf, device, of_pairs, sync));
    }
    Inside errors{};  // whose routes those of this machine have: those of the interface that a packet has left by
    for (const Family family : of_pairs) {
        const Address outside = outside_of(family, options, there.only_destinations);
        errors = inside.ports.contains(road_to(netlink, outside, inside).link) ? inside : errors;
        take(troubles_with_settings(netlink, around, family));
        take(troubles_with_legacy_tables(family));
        if (forwards(family) && (!there.vrf || device)) {
            try_packets(netlink, around, there, outside, inside, instance, sync, found);
        }
    }
    const std::string neighbours = fmt::format("{} {}", instance.command("neighbours"), file.string());
    take(troubles_with_externals(netlink, around, there.pairs, errors, instance.is_named() ? "" : neighbours));
    if (there.conntrack == Conntrack::follow) {
        take(troubles_with_flowtables(kernel, file));
    }
    take(troubles_with_policies(there, file.string()));
    found = in_order(std::move(found));
    out << (options.json ? as_json(found) : as_text(found));
    return any_breaks(found) ? exit_refused : exit_done;
}

}  // namespace statnat
