// SPDX-License-Identifier: GPL-2.0-or-later
#include "ruleset/machine.hpp"

#include "pairs/translation.hpp"

#include <algorithm>
#include <map>
#include <optional>

namespace statnat {
namespace {

// The longest pair that has an address on one side.
std::optional<Pair> pair_of(const Pairs& pairs, const Address& address, Side side) {
    for (const auto& [tier, halves] : pairs.tiers()) {
        if (tier.family == address.family) {
            if (const auto pair = pairs.find(Prefix::of(address, tier.length), side)) {
                return pair;
            }
        }
    }
    return std::nullopt;
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
    return one.address.text() + " of " + one.name;
}

// What a pair covers, in words.
struct Covered {
    std::string own;
    std::size_t owned = 0;
    std::string routers;
};

std::string of_router(const Interface& router, Side side, const std::optional<Address>& instead) {
    const std::string name = "the router " + router.address.text() + " behind " + router.name;
    if (side == Side::internal) {
        return name + " is taken for a host inside: what it sends through this machine is translated (a longer pair gives it an "
                      "external address of its own, exempt-destinations leave out what goes to them)";
    }
    return name + " cannot be reached from inside: what is sent to it goes to " + instead->text() +
           " (a pair of its own for " + instead->text() + ", with an external address to spare, cures it)";
}

std::string sentence(const Pair& pair, const Covered& covered) {
    std::string text = pair.text() + ": ";
    if (covered.owned > 0) {
        text += covered.own + (covered.owned == 1 ? " stays this machine's own: it is" : " stay this machine's own: they are") +
                " not translated";
    }
    if (!covered.routers.empty()) {
        text += (covered.owned > 0 ? "; " : "") + covered.routers;
    }
    return text;
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
            sentences.push_back("chain " + chain.place + " is of type nat: its rules, such as redirect or dnat of one port, have no "
                                "effect on packets of pairs");
        }
    }
    for (const Interface& one : machine.own) {
        if (const auto pair = pairs.find(Prefix::host(one.address), Side::external)) {
            sentences.push_back(named(one) + " is the external address of " + pair->internal.short_text() +
                                ": what comes to it goes there, so this machine gets no answer to what it sends from it");
        }
    }
    if (!machine.unrouted.empty()) {
        const std::size_t more = machine.unrouted.size() - 1;
        sentences.push_back("this machine has no route to " + machine.unrouted.front().text() +
                            (more == 0 ? "" : " and " + std::to_string(more) + " more of those asked for") +
                            ": what it notices after the translation, such as a packet too big for a tunnel, it cannot tell the "
                            "sender; any route that is not unreachable or a blackhole will do, such as a default route");
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

}  // namespace statnat
