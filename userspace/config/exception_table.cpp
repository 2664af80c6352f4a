// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/exception_table.hpp"

#include "printable.hpp"
#include "quantity.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <fmt/format.h>
#include <netinet/in.h>

namespace statnat {
namespace {

constexpr std::string_view legal_exception =
    R"(: legal is one such as { external = "198.51.100.2", tcp = 8443 }, with internal or external, and tcp, udp or )"
    "protocol";

}  // namespace

void ExceptionTable::read(const toml::table& table) {
    const Position at = place(table.source());
    struct Service {
        std::string_view key;
        std::uint8_t protocol;  // 0: the number is one itself
        std::int64_t last;
    };
    static constexpr std::array<Service, 3> services{
        {{"tcp", IPPROTO_TCP, 65535}, {"udp", IPPROTO_UDP, 65535}, {"protocol", 0, 255}}};
    Exception exception;
    std::size_t sides = 0;
    std::size_t kinds = 0;
    for (const auto& [key, node, before] : in_reading_order(table)) {
        const auto service = std::find_if(services.begin(), services.end(),
                                          [&, known = key](const Service& one) { return *known == one.key; });
        const auto text = node->value<std::string_view>();
        const auto address = text ? Address::parse(*text) : std::nullopt;
        const auto number = node->is_integer() ? node->value<std::int64_t>() : std::nullopt;
        if ((*key == "external" || *key == "internal") && address) {
            exception.side = *key == "external" ? Side::external : Side::internal;
            exception.address = *address;
            ++sides;
        } else if (service != services.end() && number && *number >= 1 && *number <= service->last) {
            if (service->protocol != 0) {
                exception.protocol = service->protocol;
                exception.port = static_cast<std::uint16_t>(*number);
            } else {
                exception.protocol = static_cast<std::uint8_t>(*number);
            }
            ++kinds;
        } else if (service != services.end() && number) {
            draft_.error(place(node->source()),
                         fmt::format("{} is {}: legal is 1 to {}", service->key, *number, service->last));
            return;
        } else {
            draft_.error(place(key->source()), fmt::format("{} in an exception is {}{}", in_quotes(*key),
                                                           what_came(*node), legal_exception));
            return;
        }
    }
    if (sides != 1 || kinds != 1) {
        draft_.error(at, fmt::format("an exception of {} and {}{}", quantity(sides, "side"),
                                     quantity(kinds, "service"), legal_exception));
        return;
    }
    draft_.except(exception, at);
}

}  // namespace statnat
