// SPDX-License-Identifier: GPL-2.0-or-later
// Sorting brings whatever a prefix covers right behind it: any number of pairs in n log n.
#include "pairs/overlaps.hpp"

#include "pairs/translation.hpp"

#include <algorithm>
#include <array>
#include <bitset>
#include <compare>
#include <iterator>
#include <optional>
#include <tuple>
#include <utility>

namespace statnat {
namespace {

constexpr std::array<Side, 2> sides{Side::internal, Side::external};

// One side of one candidate.
struct Claim {
    Prefix prefix;
    Side side;
    std::uint32_t candidate;

    auto operator<=>(const Claim& claim) const {
        return std::tie(prefix, candidate) <=> std::tie(claim.prefix, claim.candidate);
    }
};

using Claims = std::vector<Claim>;

// The first claims to one prefix, on each side; null: none.
using Holders = std::array<const Claim*, 2>;

const Claim*& holder(Holders& holders, Side side) {
    return holders[static_cast<std::size_t>(side)];
}

class Finder {
public:
    explicit Finder(const std::vector<Candidate>& candidates) : candidates_(candidates) {}

    Overlaps find();

private:
    struct Nesting {
        const Claim* inner;
        const Claim* outer;  // the longest that covers it, on the same side
    };

    void collect();
    void sweep();
    void open(const Claim* claim, const Holders& holders);
    void judge_claim(const Claim& claim, Holders& holders);
    void judge_internal(const Nesting& nesting);
    void judge_external(const Nesting& nesting);
    void collide(Collision::Why why, const Claim& a, const Claim& b, const Prefix& internal = {});

    bool known(const Claim& claim) const;
    Translation translation_from(const Claim& claim) const;
    Claims& claims_of(Side side) { return claims_[static_cast<std::size_t>(side)]; }
    const Claims& claims_of(Side side) const { return claims_[static_cast<std::size_t>(side)]; }
    bool is_claimed(const Prefix& prefix, Side side) const;
    bool is_covered(const Prefix& prefix, Side side, std::uint8_t longer_than) const;
    bool is_overridden(const Prefix& internal, std::uint8_t longer_than) const;

    const std::vector<Candidate>& candidates_;
    std::array<Claims, 2> claims_;             // of each side, ascending
    std::array<std::bitset<129>, 2> lengths_;  // in use, on each side
    std::vector<std::pair<Prefix, Holders>> open_;  // all that cover the claim at hand, longest last
    std::vector<Nesting> internal_nestings_;
    std::vector<Nesting> external_nestings_;
    Overlaps found_;
};

Overlaps Finder::find() {
    collect();
    sweep();
    for (const Nesting& nesting : internal_nestings_) {
        judge_internal(nesting);
    }
    for (const Nesting& nesting : external_nestings_) {
        judge_external(nesting);
    }
    return std::move(found_);
}

void Finder::collect() {
    for (const Side side : sides) {
        Claims& claims = claims_of(side);
        claims.reserve(candidates_.size());
        for (std::uint32_t i = 0; i < candidates_.size(); ++i) {
            const auto& prefix = candidates_[i].side(side);
            if (prefix && !(candidates_[i].inbound && side == Side::internal)) {
                claims.push_back({*prefix, side, i});
                lengths_[static_cast<std::size_t>(side)].set(prefix->length);
            }
        }
        // Long files are most often in order already.
        if (!std::is_sorted(claims.begin(), claims.end())) {
            std::sort(claims.begin(), claims.end());
        }
    }
}

// Through the claims of both sides, ascending by prefix and, of one prefix, by candidate.
void Finder::sweep() {
    auto internal = claims_of(Side::internal).cbegin();
    auto external = claims_of(Side::external).cbegin();
    const auto internal_end = claims_of(Side::internal).cend();
    const auto external_end = claims_of(Side::external).cend();
    Holders holders{};
    const Claim* before = nullptr;
    while (internal != internal_end || external != external_end) {
        const bool internal_next = external == external_end || (internal != internal_end && *internal <= *external);
        const Claim& claim = internal_next ? *internal++ : *external++;
        if (!before || claim.prefix != before->prefix) {
            open(before, holders);
            while (!open_.empty() && !open_.back().first.covers(claim.prefix)) {
                open_.pop_back();
            }
            holders = {};
        }
        judge_claim(claim, holders);
        before = &claim;
    }
}

// Whatever follows may be inside the prefix of this claim.
void Finder::open(const Claim* claim, const Holders& holders) {
    if (claim && !claim->prefix.is_host()) {
        open_.emplace_back(claim->prefix, holders);
    }
}

void Finder::judge_claim(const Claim& claim, Holders& holders) {
    const Claim*& same_side = holder(holders, claim.side);
    const Claim* other_side = holder(holders, other(claim.side));
    if (const Claim* earlier = same_side ? same_side : other_side) {
        collide(Collision::Why::same, *earlier, claim);
    }
    if (same_side) {
        return;
    }
    same_side = &claim;
    std::array<bool, 2> seen{};
    for (auto outer = open_.rbegin(); outer != open_.rend() && !(seen[0] && seen[1]); ++outer) {
        for (const Side side : sides) {
            const Claim* covering = holder(outer->second, side);
            if (!covering || std::exchange(seen[static_cast<std::size_t>(side)], true)) {
                continue;
            }
            if (side != claim.side) {
                collide(Collision::Why::both_sides, *covering, claim);
            } else {
                (side == Side::internal ? internal_nestings_ : external_nestings_).push_back({&claim, covering});
            }
        }
    }
}

// Where the outer pair would take what is overridden, nobody is left; unless somebody else is there.
void Finder::judge_internal(const Nesting& nesting) {
    const auto& [inner, outer] = nesting;
    if (!known(*outer)) {
        return;
    }
    const Counterpart left = translate(translation_from(*outer), inner->prefix);
    if (left.fate == Fate::scattered) {
        collide(Collision::Why::scattered, *outer, *inner);
    } else if (left.fate == Fate::one &&
               !is_covered(left.prefix, Side::external, outer->prefix.length)) {
        found_.holes.push_back({left.prefix, inner->candidate});
    }
}

// The outer pair must not take anybody to where the inner one starts.
void Finder::judge_external(const Nesting& nesting) {
    const auto& [inner, outer] = nesting;
    if (!known(*outer)) {
        return;
    }
    const Counterpart from = origin(translation_from(*outer).reversed(), inner->prefix);
    if (from.fate == Fate::scattered) {
        collide(Collision::Why::scattered, *outer, *inner);
    } else if (from.fate == Fate::one && !is_overridden(from.prefix, outer->prefix.length)) {
        collide(Collision::Why::shared, *outer, *inner, from.prefix);
    }
}

void Finder::collide(Collision::Why why, const Claim& a, const Claim& b, const Prefix& internal) {
    const auto& [earlier, later] = std::minmax(a, b, [](const Claim& one, const Claim& two) {
        return std::tie(one.candidate, one.side) < std::tie(two.candidate, two.side);
    });
    found_.collisions.push_back({why, later.candidate, later.side, earlier.candidate, earlier.side, internal});
}

bool Finder::known(const Claim& claim) const {
    return candidates_[claim.candidate].internal && candidates_[claim.candidate].external;
}

Translation Finder::translation_from(const Claim& claim) const {
    const Candidate& candidate = candidates_[claim.candidate];
    const Translation outbound{*candidate.internal, *candidate.external, candidate.npt};
    return claim.side == Side::internal ? outbound : outbound.reversed();
}

// Whether there is a claim to exactly this prefix.
bool Finder::is_claimed(const Prefix& prefix, Side side) const {
    const Claims& claims = claims_of(side);
    const auto claim = std::lower_bound(claims.begin(), claims.end(), prefix,
                                        [](const Claim& one, const Prefix& wanted) { return one.prefix < wanted; });
    return claim != claims.end() && claim->prefix == prefix;
}

// Whether a claim longer than that covers the whole prefix.
bool Finder::is_covered(const Prefix& prefix, Side side, std::uint8_t longer_than) const {
    for (std::uint8_t length = prefix.length; length > longer_than; --length) {
        if (lengths_[static_cast<std::size_t>(side)][length] &&
            is_claimed(Prefix::of(prefix.address, length), side)) {
            return true;
        }
    }
    return false;
}

// Whether one longer internal, or several together, leave nothing of this one to whatever covers it.
bool Finder::is_overridden(const Prefix& internal, std::uint8_t longer_than) const {
    if (is_covered(internal, Side::internal, longer_than)) {
        return true;
    }
    const Claims& claims = claims_of(Side::internal);
    std::optional<Address> rest = internal.first();
    while (rest && *rest <= internal.last()) {
        const auto claim =
            std::lower_bound(claims.begin(), claims.end(), *rest,
                             [](const Claim& one, const Address& wanted) { return one.prefix.address < wanted; });
        // Of those that start here, the shortest comes first; none is as short as `internal` itself.
        const auto start = std::find_if(claim, claims.end(), [&](const Claim& one) {
            return one.prefix.address != *rest || one.prefix.length > internal.length;
        });
        if (start == claims.end() || start->prefix.address != *rest) {
            return false;
        }
        rest = next(start->prefix.last());
    }
    return true;
}

// Of each family; then nothing is inside anything.
bool share_a_length(const Pairs& pairs) {
    std::optional<Family> before;
    for (const auto& [tier, halves] : pairs.tiers()) {
        if (tier.family == before) {
            return false;
        }
        before = tier.family;
    }
    return true;
}

}  // namespace

std::vector<Candidate> candidates(const Pairs& pairs) {
    std::vector<Candidate> all;
    all.reserve(pairs.size() + pairs.excluded().size());
    for (const Pair& pair : pairs) {
        all.push_back({pair.internal, pair.external, pair.npt, false, pair.inbound});
    }
    for (const Prefix& prefix : pairs.excluded()) {
        all.push_back({prefix, std::nullopt, false, true});
    }
    return all;
}

Overlaps overlaps(const std::vector<Candidate>& candidates) {
    return Finder(candidates).find();
}

bool collide(const Pairs& pairs) {
    if (!share_a_length(pairs)) {
        return !overlaps(candidates(pairs)).collisions.empty();
    }
    // All that can be wrong is an address that comes twice.
    return std::ranges::any_of(pairs.tiers(), [](const auto& one) {
        const auto& [by_internal, by_external] = one.second;
        return !by_internal.is_ascending() || !by_external.is_ascending() || by_internal.shares_key_with(by_external);
    });
}

Holes holes(const Pairs& pairs) {
    Holes holes;
    if (share_a_length(pairs)) {
        return holes;
    }
    const std::vector<Candidate> all = candidates(pairs);
    for (const Hole& hole : overlaps(all).holes) {
        const Candidate& overriding = all[hole.overriding];
        holes[{hole.external.address.family, hole.external.length, overriding.npt}].push_back(hole.external);
    }
    return holes;
}

std::vector<Prefix> externals_excluded(const Pairs& pairs) {
    if (pairs.excluded().empty()) {
        return {};
    }
    const std::vector<Candidate> all = candidates(pairs);
    std::vector<Prefix> externals;
    for (const Hole& hole : overlaps(all).holes) {
        if (all[hole.overriding].excluded) {
            externals.push_back(hole.external);
        }
    }
    return externals;
}

}  // namespace statnat
