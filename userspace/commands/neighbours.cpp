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

}  // namespace

std::string answer_for(const Pairs& pairs, const Kernel& kernel, Announce announce) {
    Netlink netlink(open_route_socket());
    const Neighbourhood around = look_around(netlink);
    const Answers wanted = answers(pairs, around);
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
    keep(kernel.neighbours(), {todo.to_remember, table.remember()});
    warn(warnings(wanted));
    if (announce == Announce::yes) {
        said.push_back(fmt::format("sent {}", quantity(statnat::announce(wanted, around), "announcement")));
    }
    return summary(todo, said);
}

std::string answer_for_nobody(const Kernel& kernel) {
    const bool none = recall(kernel.neighbours()) == NeighboursRecord{} &&
                      ::if_nametoindex(std::string(neighbours_device).c_str()) == 0;
    return none ? std::string(nothing_to_change) : answer_for({}, kernel);
}

int neighbours(Kernel& kernel, const Path& file, const std::optional<EngineChoice>& engine, Announce announce,
               Progress& progress, std::ostream& out) {
    if (kernel.instance().is_named()) {
        throw CannotGoOn{fmt::format("neighbours are those of {}: leave --instance out", Instance().text()),
                         exit_usage};
    }
    const Configuration configuration = read_desired(file, progress).configuration;
    const Loadable loaded = loadable(kernel, engine.value_or(configuration.engine), configuration,
                                     kernel.read(Depth::known).ruleset);
    out << answer_for(loaded.configuration.pairs, kernel, announce) << '\n';
    warn_of_losses(loaded);
    return loaded.status();
}

}  // namespace statnat
