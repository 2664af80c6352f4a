// SPDX-License-Identifier: GPL-2.0-or-later
#include "ruleset/machine.hpp"

#include "pairs/translation.hpp"

#include <algorithm>
#include <map>
#include <optional>

#include <fmt/format.h>

namespace statnat {
namespace {

// The longest pair that has an address on one side, unless the address is excluded from it.
std::optional<Pair> pair_of(const Pairs& pairs, const Address& address, Side side) {
    const auto pair = pairs.around(Prefix::host(address), side, full_length(address.family));
    const auto excluded = pairs.exclusion(address);
    return pair && excluded && side == Side::internal && excluded->length > pair->internal.length ? std::nullopt : pair;
}

// Whom the pair leads to from outside, unless it is a hole.
std::optional<Address> behind(const Pairs& pairs, const Pair& pair, const Address& address) {
    const Counterpart inside = translate(translation(pair, Side::external), Prefix::host(address));
    const auto theirs = inside.fate == Fate::one ? pair_of(pairs, inside.prefix.address, Side::internal) : std::nullopt;
    return theirs == pair ? std::optional(inside.prefix.address) : std::nullopt;
}

bool has_family(const Pairs& pairs, Family family) {
    return std::any_of(pairs.tiers().begin(), pairs.tiers().end(),
                       [&](const auto& one) { return one.first.family == family; });
}

std::string named(const Interface& one) {
    return fmt::format("{} of {}", one.address.text(), one.name);
}

// What a pair covers, in words.
struct Covered {
    std::string own;
    std::size_t owned = 0;
    std::string routers;
};

std::string of_router(const Interface& router, Side side, const std::optional<Address>& instead) {
    const std::string name = fmt::format("the router {} behind {}", router.address.text(), router.name);
    if (side == Side::internal) {
        return fmt::format("{} is taken for a host inside: what it sends through this machine is translated (exclude "
                           "leaves it alone, a longer pair gives it an external address of its own, "
                           "exempt-destinations leave out what goes to them)",
                           name);
    }
    return fmt::format("{0} cannot be reached from inside: what is sent to it goes to {1} (exclude leaves both alone, "
                       "a pair of its own for {1}, with an external address to spare, cures it, too)",
                       name, instead->text());
}

std::string sentence(const Pair& pair, const Covered& covered) {
    const auto& [own, owned, routers] = covered;
    const std::string of_own =
        owned == 0 ? ""
                   : fmt::format("{} this machine's own: {} not translated", own + (owned == 1 ? " stays" : " stay"),
                                 owned == 1 ? "it is" : "they are");
    return fmt::format("{}: {}{}{}", pair.text(), of_own, !of_own.empty() && !routers.empty() ? "; " : "", routers);
}

}  // namespace

std::vector<std::string> warnings(const Pairs& pairs, const Machine& machine) {
    std::map<Pair, Covered> covered;
    const auto each = [&](const std::vector<Interface>& addresses, auto take) {
        for (const Interface& one : addresses) {
            for (const Side side : {Side::internal, Side::external}) {
                const auto pair = pair_of(pairs, one.address, side);
                const auto instead = pair && side == Side::external ? behind(pairs, *pair, one.address) : std::nullopt;
                if (pair && !pair->internal.is_host() && (side == Side::internal || instead)) {
                    take(covered[*pair], one, side, instead);
                }
            }
        }
    };
    each(machine.own, [](Covered& of, const Interface& one, Side, const std::optional<Address>&) {
        of.own += (of.owned++ == 0 ? "" : ", ") + named(one);
    });
    each(machine.routers, [](Covered& of, const Interface& one, Side side, const std::optional<Address>& instead) {
        of.routers += (of.routers.empty() ? "" : "; ") + of_router(one, side, instead);
    });
    std::vector<std::string> sentences;
    for (const auto& [pair, what] : covered) {
        sentences.push_back(sentence(pair, what));
    }
    return sentences;
}

std::vector<std::string> notes(const Pairs& pairs, const Machine& machine) {
    std::vector<std::string> sentences;
    for (const OtherChain& chain : machine.chains) {
        const bool sees_pairs = std::any_of(chain.families.begin(), chain.families.end(),
                                            [&](Family family) { return has_family(pairs, family); });
        if (sees_pairs && chain.translates) {
            sentences.push_back(fmt::format("chain {} is of type nat: its rules, such as redirect or dnat of one port, "
                                            "have no effect on packets of pairs",
                                            chain.place));
        }
    }
    for (const Interface& one : machine.own) {
        if (const auto pair = pairs.find(Prefix::host(one.address), Side::external)) {
            sentences.push_back(fmt::format("{} is the external address of {}: what comes to it goes there, so this "
                                            "machine gets no answer to what it sends from it",
                                            named(one), pair->internal.short_text()));
        }
    }
    if (!machine.unrouted.empty()) {
        const std::size_t more = machine.unrouted.size() - 1;
        sentences.push_back(
            fmt::format("this machine has no route to {}{}: what it notices after the translation, such as a packet "
                        "too big for a tunnel, it cannot tell the sender; any route that is not unreachable or a "
                        "blackhole will do, such as a default route",
                        machine.unrouted.front().text(),
                        more == 0 ? "" : fmt::format(" and {} more of those asked for", more)));
    }
    return sentences;
}

std::vector<Address> some_external(const Pairs& pairs) {
    constexpr std::size_t enough = 16;
    std::vector<Address> some;
    for (const auto& [tier, halves] : pairs.tiers()) {
        const Elements& all = halves.by_external;
        for (std::size_t i = 0; i < std::min(all.size(), enough); ++i) {
            some.push_back(all.key(i * all.size() / std::min(all.size(), enough)));
        }
    }
    return some;
}

std::vector<std::string> warnings_of_flowtables(const std::vector<std::string>& places) {
    std::vector<std::string> sentences;
    for (const std::string& place : places) {
        sentences.push_back(fmt::format("flowtable {}: flows of pairs that conntrack follows pass by all rules once "
                                        "they are in it, and leave with internal addresses: keep them out of it",
                                        place));
    }
    return sentences;
}

}  // namespace statnat
