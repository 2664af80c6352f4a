// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/configuration.hpp"

#include <fmt/format.h>
#include <netinet/in.h>

namespace statnat {

std::string ConfigurationError::text() const {
    return line == 0 ? fmt::format("{}: {}", file.string(), sentence)
                     : fmt::format("{}:{}:{}: {}", file.string(), line, column, sentence);
}

std::string Exception::service() const {
    return port ? fmt::format("{} {}", protocol == IPPROTO_TCP ? "tcp" : "udp", *port)
                : fmt::format("protocol {}", protocol);
}

// One statement must know all that becomes of a packet.
std::optional<std::string> objection_to_exception(const Exception& exception, const Configuration& configuration,
                                                  bool all_pairs_known) {
    const Address& address = exception.address;
    if (exception.side == Side::internal && configuration.conntrack == Conntrack::follow) {
        return fmt::format("an exception of internal {} beside conntrack = \"follow\": legal is that of the external "
                           "address alone, since conntrack knows the answers",
                           address.text());
    }
    if (all_pairs_known &&
        !configuration.pairs.around(Prefix::host(address), exception.side, full_length(address.family))) {
        return fmt::format("{} in an exception is the {} address of no pair: legal is one that has a pair, since all "
                           "others are left alone",
                           address.text(), exception.side == Side::external ? "external" : "internal");
    }
    return std::nullopt;
}

std::optional<std::string> objection_to_fast_path(const Configuration& configuration) {
    if (configuration.conntrack == Conntrack::follow) {
        return "fast-path beside conntrack = \"follow\": legal is one of them, since conntrack must see all hooks of "
               "what it follows";
    }
    if (configuration.vrf) {
        return "fast-path beside vrf: legal is one of them, since what comes by a VRF goes through hooks twice";
    }
    if (configuration.fail_closed) {
        return "fast-path beside fail-closed: legal is one of them, since postrouting takes its mark from packets";
    }
    if (configuration.counters == Counters::rule) {
        return "fast-path beside counters = \"rule\": legal is \"pair\" or \"off\", since the rule of postrouting "
               "would have nothing to count";
    }
    return {};
}

}  // namespace statnat
