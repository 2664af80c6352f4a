// SPDX-License-Identifier: GPL-2.0-or-later
// The statement that the module brings, as it stands in a rule; snat_stateless(7) has its grammar.
#pragma once

#include "pairs/prefix.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace statnat {

enum class Field : std::uint8_t { source, destination };

// @NAME [prefix LEN [npt]] [within PREFIX]
struct MapReference {
    std::string name;
    std::optional<std::uint8_t> prefix{};  // nothing: whole addresses
    bool npt = false;
    std::optional<Prefix> within{};  // what it is asked for; nothing: any address
    bool operator==(const MapReference&) const = default;
};

// snat_stateless {saddr | daddr} map MAP [, MAP]... [notrack | untrack] [untracked | tracked] | [follow] [followed]
//     [else saddr map MAP [, MAP]... {untrack | follow}] [{unless | only} daddr PREFIX [, PREFIX]...]
//     [via INTERFACE [, INTERFACE]...] [forward] [errors as ADDRESS]
struct SnatStateless {
    Field field;
    std::vector<MapReference> maps;  // the first that has the address ends the search
    bool notrack = false;
    bool untrack = false;
    bool untracked = false;
    bool tracked = false;
    bool follow = false;
    bool followed = false;
    std::vector<MapReference> else_maps{};  // asked for the source where the others have nothing
    std::vector<Prefix> destinations{};     // on the way to which a source is not untracked
    bool only = false;                      // or, on the contrary, only is
    std::vector<std::string> via{};         // by which packets come or leave; none: by any
    bool forward = false;                   // whether what is only to be passed on is sent at once
    std::optional<Address> errors_as{};     // the source of an ICMP error that has no pair itself
    bool operator==(const SnatStateless&) const = default;

    // Whether a destination is translated and remembered; or a source only told.
    bool begins_way() const { return field == Field::destination && (notrack || follow); }
    bool only_decides() const { return untrack || (field == Field::source && follow); }
    bool ends_way() const { return untracked || followed; }
    // The statement that else stands for.
    SnatStateless otherwise() const {
        return {.field = Field::source, .maps = else_maps, .untrack = !follow, .follow = follow};
    }
};

inline constexpr std::size_t most_destinations = 8;  // NFT_SNAT_STATELESS_UNLESS_MAX
inline constexpr std::size_t most_via = 8;           // NFT_SNAT_STATELESS_VIA_MAX

// Its flags by their words, in the order in which they are written.
struct Flag {
    std::string_view word;
    bool SnatStateless::*member;
};

inline constexpr std::array<Flag, 6> statement_flags{{{"notrack", &SnatStateless::notrack},
                                                      {"untrack", &SnatStateless::untrack},
                                                      {"untracked", &SnatStateless::untracked},
                                                      {"tracked", &SnatStateless::tracked},
                                                      {"follow", &SnatStateless::follow},
                                                      {"followed", &SnatStateless::followed}}};

}  // namespace statnat
