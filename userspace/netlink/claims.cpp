// SPDX-License-Identifier: GPL-2.0-or-later
#include "netlink/claims.hpp"

#include "pairs/ranges.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <utility>
#include <variant>

#include <fmt/format.h>

namespace statnat {
namespace {

// By family, of each side.
using Claims = std::map<std::pair<Side, Family>, std::vector<Range>>;

void add(Claims& claims, Family family, const Map& map) {
    const auto role = MapRole::of(map, family);
    for (std::size_t i = 0; role && i < map.elements.size(); ++i) {
        if (!map.elements.is_its_own_value(i)) {  // a hole
            claims[{role->key, family}].push_back(Range::of({map.elements.key(i), role->length}));
        }
    }
}

Claims in_order(Claims claims) {
    for (auto& [of, ranges] : claims) {
        ranges = merged(std::move(ranges));
    }
    return claims;
}

Claims claims_of(const Plan& plan) {
    Claims claims;
    for (const Step& step : plan) {
        if (const auto* added = std::get_if<AddElements>(&step)) {
            add(claims, added->family, added->map);
        }
    }
    return in_order(std::move(claims));
}

Claims claims_of(const Ruleset& ruleset) {
    Claims claims;
    for (const Table& table : ruleset) {
        for (const Map& map : table.maps) {
            add(claims, table.family, map);
        }
    }
    return in_order(std::move(claims));
}

std::optional<Address> first_common(const std::vector<Range>& some, const std::vector<Range>& others) {
    auto other = others.begin();
    for (const Range& one : some) {
        while (other != others.end() && other->last < one.first) {
            ++other;
        }
        if (other != others.end() && other->first <= one.last) {
            return std::max(one.first, other->first);
        }
    }
    return std::nullopt;
}

}  // namespace

bool claims_any(const Plan& plan) {
    return std::any_of(plan.begin(), plan.end(),
                       [](const Step& step) { return std::holds_alternative<AddElements>(step); });
}

std::vector<std::string> contested(const Plan& plan, const std::vector<Sibling>& siblings) {
    const Claims ours = claims_of(plan);
    std::vector<std::string> sentences;
    for (const Sibling& sibling : siblings) {
        const Claims theirs = claims_of(sibling.ruleset);
        for (const auto& [of, ranges] : ours) {
            const auto found = theirs.find(of);
            const auto address = found == theirs.end() ? std::nullopt : first_common(ranges, found->second);
            if (address) {
                sentences.push_back(fmt::format("{} is an {} address of {}, too (table {}): take it out of one of the "
                                                "two configurations",
                                                address->text(),
                                                of.first == Side::internal ? "internal" : "external",
                                                sibling.instance.text(),
                                                table_text(of.second, sibling.instance.table())));
                break;
            }
        }
    }
    return sentences;
}

}  // namespace statnat
