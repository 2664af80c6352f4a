// SPDX-License-Identifier: GPL-2.0-or-later
// Rows of bytes, sorted as numbers.
#include "elements.hpp"

#include <algorithm>
#include <numeric>

namespace statnat {
namespace {

template <std::size_t size>
bool is_less(const std::uint8_t* a, const std::uint8_t* b) {
    for (std::size_t at = 0; at < size; at += sizeof(std::uint64_t)) {
        const std::uint64_t x = number_at(a + at);
        const std::uint64_t y = number_at(b + at);
        if (x != y) {
            return x < y;
        }
    }
    return false;
}

template <typename T>
std::vector<T> in_order(std::vector<T>& things, const std::vector<std::size_t>& order) {
    std::vector<T> ordered;
    if (!things.empty()) {
        ordered.reserve(things.size());
        for (const std::size_t index : order) {
            ordered.push_back(std::move(things[index]));
        }
    }
    return ordered;
}

}  // namespace

const Comment Elements::no_comment;

Elements::Elements(std::initializer_list<Element> elements) {
    for (const Element& element : elements) {
        push_back(element);
    }
}

void Elements::push_back(const Address& key, const Address& value) {
    if (empty()) {
        family_ = key.family;
    }
    append(key.bytes.data());
    append(value.bytes.data());
    if (!comments_.empty()) {
        comments_.emplace_back();
    }
    if (!traffic_.empty()) {
        traffic_.emplace_back();
    }
}

void Elements::push_back(const Element& element) {
    push_back(element.key, element.value);
    if (!element.comment.empty()) {
        set_comment(size() - 1, element.comment);
    }
    if (element.traffic != Traffic{}) {
        set_traffic(size() - 1, element.traffic);
    }
}

void Elements::append(const std::uint8_t* address) {
    for (std::size_t at = 0; at < width(family_); at += sizeof(Word)) {
        Word word;
        std::memcpy(word.data(), address + at, sizeof word);
        words_.push_back(word);
    }
}

void Elements::set_comment(std::size_t index, const Comment& comment) {
    comments_.resize(size());
    comments_[index] = comment;
}

void Elements::set_traffic(std::size_t index, const Traffic& traffic) {
    traffic_.resize(size());
    traffic_[index] = traffic;
}

void Elements::sort() {
    family_ == Family::ipv4 ? sort_rows<row_size(Family::ipv4)>() : sort_rows<row_size(Family::ipv6)>();
}

// Keys differ, so whole rows may be compared.
template <std::size_t row_bytes>
void Elements::sort_rows() {
    using Row = std::array<Word, row_bytes / sizeof(Word)>;
    const auto less = [](const Row& a, const Row& b) { return is_less<row_bytes>(a[0].data(), b[0].data()); };
    auto* first = reinterpret_cast<Row*>(words_.data());
    auto* last = first + size();
    if (std::is_sorted(first, last, less)) {  // as many files are
        return;
    }
    if (comments_.empty() && traffic_.empty()) {
        std::sort(first, last, less);
        return;
    }
    std::vector<std::size_t> order(size());
    std::iota(order.begin(), order.end(), 0);
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return less(first[a], first[b]); });
    std::vector<Word> words;
    words.reserve(words_.size());
    for (const std::size_t index : order) {
        words.insert(words.end(), first[index].begin(), first[index].end());
    }
    comments_ = in_order(comments_, order);
    traffic_ = in_order(traffic_, order);
    words_ = std::move(words);
}

const Element Elements::operator[](std::size_t index) const {
    return {key(index), value(index), comment(index), traffic(index)};
}

std::optional<std::size_t> Elements::find(const Address& wanted) const {
    std::size_t low = 0;
    std::size_t high = size();
    while (low < high) {
        const std::size_t middle = low + (high - low) / 2;
        if (key(middle) < wanted) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < size() && key(low) == wanted ? std::optional(low) : std::nullopt;
}

Elements Elements::reversed() const {
    Elements reversed;
    reversed.family_ = family_;
    reversed.words_.reserve(words_.size());
    for (std::size_t i = 0; i < size(); ++i) {
        reversed.append(row(i) + width(family_));
        reversed.append(row(i));
    }
    return reversed;
}

Elements Elements::keys() const {
    Elements keys;
    keys.family_ = family_;
    keys.words_.reserve(words_.size());
    for (std::size_t i = 0; i < size(); ++i) {
        keys.append(row(i));
        keys.append(row(i));
    }
    return keys;
}

std::size_t Elements::count_same(std::size_t index, const Elements& others, std::size_t other) const {
    const std::size_t most = std::min(size() - index, others.size() - other);
    std::size_t count = 0;
    // Large steps as long as nothing differs, then smaller ones to where it does.
    for (std::size_t step = std::min<std::size_t>(1024, most); step > 0;) {
        const bool same = count + step <= most && std::memcmp(row(index + count), others.row(other + count),
                                                              step * row_size()) == 0;
        same ? count += step : step /= 2;
    }
    for (std::size_t i = 0; i < count && (has_comments() || others.has_comments()); ++i) {
        if (comment(index + i) != others.comment(other + i)) {
            return i;
        }
    }
    return count;
}

}  // namespace statnat
