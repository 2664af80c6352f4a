// SPDX-License-Identifier: GPL-2.0-or-later
#include "statement/objections_to_statement.hpp"

#include "names.hpp"

#include <cstddef>
#include <cstdint>

namespace statnat {
namespace {

constexpr std::size_t longest_map_name = 255;  // NFT_SET_MAXNAMELEN, less its zero
constexpr std::uint8_t longest_prefix = 128;
constexpr std::uint8_t longest_npt_prefix = 64;

// A statement of another kind neither begins nor ends a packet's way.
bool goes_with_via(const SnatStateless& statement) {
    return statement.field == Field::destination ? statement.begins_way()
                                                 : statement.only_decides() || statement.ends_way();
}

}  // namespace

std::optional<std::string> objection_to_map(const MapReference& map) {
    if (map.name.empty()) {
        return "a map without a name";
    }
    if (map.name.size() > longest_map_name) {
        return "the name of this map has " + std::to_string(map.name.size()) + " bytes, and may have " +
               std::to_string(longest_map_name);
    }
    if (map.prefix && (*map.prefix == 0 || *map.prefix > longest_prefix)) {
        return "a prefix has a length of 1 to 32 for IPv4, of 1 to 128 for IPv6";
    }
    if (map.npt && (!map.prefix || *map.prefix > longest_npt_prefix)) {
        return "npt needs a prefix with a length of 1 to 64";
    }
    if (map.within && map.within->length == 0) {
        return "all addresses are within a prefix of length 0; leave it out";
    }
    return {};
}

std::optional<std::string> objection_to_flags(const SnatStateless& statement) {
    if ((statement.follow || statement.followed) &&
        (statement.notrack || statement.untrack || statement.untracked || statement.tracked)) {
        return "follow and followed exclude all other flags";
    }
    if (statement.followed && statement.field == Field::destination) {
        return "followed goes with saddr only";
    }
    if (statement.notrack && statement.untrack) {
        return "notrack and untrack exclude each other";
    }
    if (statement.tracked && (statement.notrack || statement.untracked)) {
        return std::string("tracked and ") + (statement.notrack ? "notrack" : "untracked") + " exclude each other";
    }
    return {};
}

std::optional<std::string> objection_to_else(const SnatStateless& statement) {
    if (!statement.else_maps.empty() && !statement.begins_way()) {
        return "else goes with daddr and notrack or follow only";
    }
    return {};
}

namespace {

std::string word_of_destinations(const SnatStateless& statement) {
    return statement.only ? "only" : "unless";
}

}  // namespace

std::optional<std::string> objection_to_prefixes(const SnatStateless& statement) {
    const std::vector<Prefix>& prefixes = statement.destinations;
    if (prefixes.size() > most_destinations) {
        return "more than " + std::to_string(most_destinations) + " prefixes behind " +
               word_of_destinations(statement) + "; a set before the statement has room";
    }
    if (prefixes.back().length == 0) {
        return std::string("all addresses are in a prefix of length 0; leave ") +
               (statement.only ? "only" : "the statement") + " out";
    }
    if (prefixes.back().address.family != prefixes.front().address.family) {
        return "the prefixes behind " + word_of_destinations(statement) + " are of one family";
    }
    return {};
}

std::optional<std::string> objection_to_destinations(const SnatStateless& statement) {
    const bool decides =
        statement.only_decides() || statement.followed || (statement.untracked && !statement.via.empty());
    const bool fits = !statement.else_maps.empty() || (statement.field == Field::source && decides);
    if (!statement.destinations.empty() && !fits) {
        return word_of_destinations(statement) +
               " goes with saddr and untrack, follow or followed, with else, or with saddr, untracked and via";
    }
    return {};
}

std::optional<std::string> objection_to_forward(const SnatStateless& statement) {
    if (statement.forward && (statement.else_maps.empty() || !statement.notrack || statement.untracked)) {
        return "forward goes with daddr, notrack and else, which know both sides of a pair";
    }
    return {};
}

std::optional<std::string> objection_to_errors(const SnatStateless& statement) {
    if (statement.errors_as && (statement.field != Field::source || statement.only_decides())) {
        return "errors as goes with saddr that is translated, and so neither with untrack nor with follow";
    }
    return {};
}

std::optional<std::string> objection_to_via(const SnatStateless& statement) {
    const std::vector<std::string>& via = statement.via;
    if (via.empty()) {
        return {};
    }
    if (!goes_with_via(statement)) {
        return "via goes with daddr and notrack, with saddr and untrack, with saddr and untracked, or with follow and "
               "followed";
    }
    if (via.size() > most_via) {
        return "more than " + std::to_string(most_via) +
               " interfaces behind via; an asterisk stands for the rest of a name";
    }
    return objection_to_interface(via.back());
}

}  // namespace statnat
