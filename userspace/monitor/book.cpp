// SPDX-License-Identifier: GPL-2.0-or-later
#include "monitor/book.hpp"

namespace statnat {
namespace {

// To pack costs a walk through all of them: rather seldom, and never for little.
constexpr std::size_t most_loose = 4096;

}  // namespace

Book::Entry Book::find(const Address& key) const {
    if (const auto loose = since_.find(key); loose != since_.end()) {
        return loose->second;
    }
    const auto index = packed_.find(key);
    return index ? Entry(packed_[*index]) : std::nullopt;
}

void Book::put(const Element& element) {
    touch(element.key);
    since_[element.key] = element;
}

void Book::erase(const Address& key) {
    touch(key);
    since_[key] = std::nullopt;
}

void Book::replace(const Elements& elements) {
    pack();
    std::size_t old = 0;
    std::size_t now = 0;
    while (old < packed_.size() || now < elements.size()) {
        if (const std::size_t same = packed_.count_same(old, elements, now); same != 0) {
            old += same;
            now += same;
            continue;
        }
        const auto order = old == packed_.size()    ? std::strong_ordering::greater
                           : now == elements.size() ? std::strong_ordering::less
                                                    : packed_.compare_keys(old, elements, now);
        if (order > 0) {
            before_.try_emplace(elements.key(now), std::nullopt);
        } else {
            before_.try_emplace(packed_.key(old), packed_[old]);
        }
        old += order <= 0 ? 1 : 0;
        now += order >= 0 ? 1 : 0;
    }
    packed_ = elements;
}

void Book::settle() {
    before_.clear();
    if (since_.size() > most_loose + packed_.size() / 4) {
        pack();
    }
}

std::size_t Book::pairs() const {
    std::size_t pairs = 0;
    for (std::size_t i = 0; i < packed_.size(); ++i) {
        pairs += packed_.is_its_own_value(i) || since_.contains(packed_.key(i)) ? 0 : 1;
    }
    for (const auto& [key, entry] : since_) {
        pairs += entry && entry->key != entry->value ? 1 : 0;
    }
    return pairs;
}

void Book::touch(const Address& key) {
    if (!before_.contains(key)) {
        before_.emplace(key, find(key));
    }
}

void Book::pack() {
    if (since_.empty()) {
        return;
    }
    Elements all;
    auto loose = since_.begin();
    const auto take_loose = [&] {
        if (loose->second) {
            all.push_back(*loose->second);
        }
        ++loose;
    };
    for (const Element& element : packed_) {
        while (loose != since_.end() && loose->first < element.key) {
            take_loose();
        }
        if (loose != since_.end() && loose->first == element.key) {
            take_loose();
        } else {
            all.push_back(element);
        }
    }
    while (loose != since_.end()) {
        take_loose();
    }
    packed_ = all;
    since_.clear();
}

}  // namespace statnat
