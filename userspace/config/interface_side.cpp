// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/interface_side.hpp"

#include "names.hpp"

#include <algorithm>
#include <array>
#include <tuple>

#include <fmt/format.h>

namespace statnat {
namespace {

constexpr std::array<std::string_view, 2> words{"address of ", "prefix of "};

// RFC 4193: what nobody outside routes back.
bool is_unique_local(const Address& address) {
    return address.family == Family::ipv6 && (address.bytes[0] & 0xfe) == 0xfc;
}

}  // namespace

std::optional<InterfaceSide> InterfaceSide::parse(std::string_view text) {
    for (const Part part : {Part::address, Part::prefix}) {
        const std::string_view word = words[static_cast<std::size_t>(part)];
        const std::string_view name = text.starts_with(word) ? text.substr(word.size()) : "";
        if (!name.empty() && !objection_to_interface(name) && !name.ends_with('*')) {
            return InterfaceSide{part, std::string(name)};
        }
    }
    return std::nullopt;
}

std::string InterfaceSide::text() const {
    return std::string(words[static_cast<std::size_t>(part)]) + interface;
}

// Which it is does not change as long as they are there, whatever the order in which they are told.
InterfaceHas look_up(const InterfaceSide& side, const Prefix& internal, bool npt,
                     const std::vector<InterfaceAddress>& addresses) {
    const Family family = internal.address.family;
    const bool whole = side.part == InterfaceSide::Part::address;
    const InterfaceAddress* best = nullptr;
    const auto place = [](const InterfaceAddress& one) {
        return std::tuple(is_unique_local(one.address), one.address);
    };
    for (const InterfaceAddress& one : addresses) {
        const bool fits = one.interface == side.interface && one.address.family == family &&
                          (whole || one.length < full_length(family)) && !unusable(Prefix::host(one.address));
        if (fits && (!best || place(one) < place(*best))) {
            best = &one;
        }
    }
    if (!best) {
        return {{}, fmt::format("{} has no {} {}", side.interface, name(family), whole ? "address" : "prefix")};
    }
    const Prefix found = whole ? Prefix::host(best->address) : Prefix::of(best->address, best->length);
    if (found.length != internal.length && !(npt && found.length < internal.length)) {
        return {{}, fmt::format("{} has {}, which is not as long as {}", side.interface, found.short_text(),
                                internal.short_text())};
    }
    return {found, {}};
}

std::string InterfacePair::text() const {
    return fmt::format("{} = {}", pair.internal->short_text(), side.text());
}

}  // namespace statnat
