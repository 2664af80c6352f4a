// SPDX-License-Identifier: GPL-2.0-or-later
#include "pairs/pairs.hpp"

#include <algorithm>

namespace statnat {

PairIterator::PairIterator(const std::vector<Part>& parts) {
    for (const Part& part : parts) {
        Cursor cursor{part};
        if (cursor.settle()) {
            cursors_.push_back(cursor);
        }
    }
    choose();
}

Pair PairIterator::operator*() const {
    const auto& [part, index] = cursors_[next_];
    const Elements& elements = part.by_internal;
    return {{elements.key(index), part.tier.length}, {elements.value(index), part.tier.length}, part.tier.npt,
            elements.comment(index), part.tier.inbound};
}

PairIterator& PairIterator::operator++() {
    Cursor& cursor = cursors_[next_];
    ++cursor.index;
    if (!cursor.settle()) {
        cursors_.erase(cursors_.begin() + static_cast<std::ptrdiff_t>(next_));
    }
    choose();
    return *this;
}

// To the next pair, if there is one.
bool PairIterator::Cursor::settle() {
    const Elements& elements = part.by_internal;
    while (index < elements.size() && elements.is_its_own_value(index)) {
        ++index;
    }
    return index < elements.size();
}

void PairIterator::choose() {
    next_ = 0;
    for (std::size_t i = 1; i < cursors_.size(); ++i) {
        if (cursors_[i].place() < cursors_[next_].place()) {
            next_ = i;
        }
    }
}

Pairs::Pairs(const std::vector<Pair>& pairs) {
    for (const Pair& pair : pairs) {
        push_back(pair);
    }
    sort();
}

std::size_t Pairs::size() const {
    std::size_t size = 0;
    for (const auto& [tier, halves] : tiers_) {
        size += halves.by_internal.size();
    }
    return size;
}

void Pairs::push_back(const Pair& pair) {
    push_back(Tier::of(pair), pair.internal.address, pair.external.address, pair.comment);
}

Elements& Pairs::by_internal(const Tier& tier) {
    Elements& half = tiers_[tier].by_internal;
    if (half.empty()) {
        half.reserve(tier.family, expected_);
    }
    return half;
}

void Pairs::sort() {
    for (auto& [tier, halves] : tiers_) {
        halves.by_internal.sort();
        halves.by_external = halves.by_internal.reversed();
        halves.by_external.sort();
    }
}

std::optional<Pair> Pairs::find(const Prefix& prefix, Side side) const {
    for (const auto& [tier, halves] : tiers_) {
        const Elements& half = halves.by(side);
        const bool of_tier = tier.family == prefix.address.family && tier.length == prefix.length;
        const auto found = of_tier ? half.find(prefix.address) : std::nullopt;
        if (!found) {
            continue;
        }
        const Prefix other{half.value(*found), tier.length};
        const Prefix& internal = side == Side::internal ? prefix : other;
        const Prefix& external = side == Side::internal ? other : prefix;
        const auto index = halves.by_internal.find(internal.address);
        return Pair{internal, external, tier.npt, halves.by_internal.comment(*index), tier.inbound};
    }
    return std::nullopt;
}

std::optional<Pair> Pairs::around(const Prefix& prefix, Side side, std::uint8_t longest) const {
    for (const auto& [tier, halves] : tiers_) {
        if (tier.family != prefix.address.family || tier.length > std::min(prefix.length, longest)) {
            continue;
        }
        if (const auto pair = find(Prefix::of(prefix.address, tier.length), side)) {
            return pair;
        }
    }
    return std::nullopt;
}

void Pairs::exclude(const Prefix& internal) {
    const auto place = std::lower_bound(excluded_.begin(), excluded_.end(), internal);
    if (place == excluded_.end() || *place != internal) {
        excluded_.insert(place, internal);
        tiers_.try_emplace({internal.address.family, internal.length, false});
    }
}

std::optional<Prefix> Pairs::exclusion(const Address& address) const {
    std::optional<Prefix> longest;
    for (const Prefix& prefix : excluded_) {
        if (prefix.covers(address)) {
            longest = prefix;  // what it covers comes behind it
        }
    }
    return longest;
}

std::vector<Pair> Pairs::unanswered() const {
    std::vector<Pair> found;
    for (const auto& [tier, halves] : tiers_) {
        const auto both_ways = tiers_.find({tier.family, tier.length});
        for (std::size_t i = 0; tier.inbound && i < halves.by_internal.size(); ++i) {
            const Address internal = halves.by_internal.key(i);
            if (both_ways == tiers_.end() || !both_ways->second.by_internal.find(internal)) {
                found.push_back({Prefix::host(internal), Prefix::host(halves.by_internal.value(i)), false, {}, true});
            }
        }
    }
    return found;
}

Pairs Pairs::without(const Pair& pair) const {
    Pairs rest;
    for (const Pair& other : *this) {
        const bool depends = other.inbound && !pair.inbound && other.internal == pair.internal;
        if (other != pair && !depends) {
            rest.push_back(other);
        }
    }
    rest.sort();
    for (const Prefix& prefix : excluded_) {
        if (rest.around(prefix, Side::internal, prefix.length - 1)) {
            rest.exclude(prefix);
        }
    }
    return rest;
}

Pairs Pairs::of_tiers(bool of_hosts) const {
    Pairs part;
    for (const auto& [tier, halves] : tiers_) {
        if (tier.is_of_hosts() == of_hosts && !halves.by_internal.empty()) {
            part.tiers_.emplace(tier, halves);
        }
    }
    for (const Prefix& prefix : of_hosts ? std::vector<Prefix>() : excluded_) {
        part.exclude(prefix);
    }
    return part;
}

bool Pairs::operator==(const Pairs& pairs) const {
    const auto same = [](const auto& one, const auto& other) {
        return one.first == other.first && one.second.by_internal == other.second.by_internal;
    };
    return excluded_ == pairs.excluded_ &&
           std::equal(tiers_.begin(), tiers_.end(), pairs.tiers_.begin(), pairs.tiers_.end(), same);
}

PairIterator Pairs::begin() const {
    std::vector<PairIterator::Part> parts;
    for (const auto& [tier, halves] : tiers_) {
        parts.push_back({tier, halves.by_internal});
    }
    return PairIterator(parts);
}

}  // namespace statnat
