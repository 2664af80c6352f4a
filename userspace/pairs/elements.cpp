// SPDX-License-Identifier: GPL-2.0-or-later
// Rows of bytes, sorted as numbers.
#include "pairs/elements.hpp"

#include <algorithm>
#include <numeric>

#include <boost/sort/flat_stable_sort/flat_stable_sort.hpp>

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

void Elements::push_back(const Element& element) {
    push_back(element.key, element.value);
    if (!element.comment.empty()) {
        set_comment(size() - 1, element.comment);
    }
    if (element.traffic != Traffic{}) {
        set_traffic(size() - 1, element.traffic);
    }
}

void Elements::set_comment(std::size_t index, const Comment& comment) {
    Rows& rows = own();
    rows.comments.resize(size());
    rows.comments[index] = comment;
}

void Elements::set_traffic(std::size_t index, const Traffic& traffic) {
    Rows& rows = own();
    rows.traffic.resize(size());
    rows.traffic[index] = traffic;
}

void Elements::sort() {
    family_ == Family::ipv4 ? sort_rows<row_size(Family::ipv4)>() : sort_rows<row_size(Family::ipv6)>();
}

bool Elements::is_ascending() const {
    const std::size_t elements = size();
    const std::uint8_t* before = row(0);
    for (std::size_t i = 1; i < elements; ++i) {
        const std::uint8_t* next = before + row_size();
        if (compare_keys(before, next) >= 0) {
            return false;
        }
        before = next;
    }
    return true;
}

bool Elements::shares_key_with(const Elements& others) const {
    const std::uint8_t* a = row(0);
    const std::uint8_t* const a_end = row(size());
    const std::uint8_t* b = others.row(0);
    const std::uint8_t* const b_end = others.row(others.size());
    while (a != a_end && b != b_end) {
        const auto order = compare_keys(a, b);
        if (order == 0) {
            return true;
        }
        (order < 0 ? a : b) += row_size();
    }
    return false;
}

// Keys differ, so whole rows may be compared.
template <std::size_t row_bytes>
void Elements::sort_rows() {
    using Row = std::array<Word, row_bytes / sizeof(Word)>;
    const auto less = [](const Row& a, const Row& b) {
        return is_less<row_bytes>(reinterpret_cast<const std::uint8_t*>(&a), reinterpret_cast<const std::uint8_t*>(&b));
    };
    const auto* sorted = reinterpret_cast<const Row*>(held().words.data());
    if (std::is_sorted(sorted, sorted + size(), less)) {  // as many files are
        return;
    }
    auto& [words, comments, traffic] = own();
    auto* first = reinterpret_cast<Row*>(words.data());
    if (comments.empty() && traffic.empty()) {
        // As fast as std::sort where nothing is in order, and a hundred times where most is.
        boost::sort::flat_stable_sort(first, first + size(), less);
        return;
    }
    std::vector<std::size_t> order(size());
    std::iota(order.begin(), order.end(), 0);
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return less(first[a], first[b]); });
    std::vector<Word> ordered;
    ordered.reserve(words.size());
    for (const std::size_t index : order) {
        ordered.insert(ordered.end(), first[index].begin(), first[index].end());
    }
    comments = in_order(comments, order);
    traffic = in_order(traffic, order);
    words = std::move(ordered);
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
    return of_rows(family_, size(), [&](std::span<std::uint8_t> to) {
        const std::uint8_t* from = row(0);
        const std::size_t half = width(family_);
        for (std::size_t at = 0; at < to.size(); at += 2 * half) {
            std::memcpy(&to[at], from + at + half, half);
            std::memcpy(&to[at + half], from + at, half);
        }
    });
}

Elements Elements::keys() const {
    return of_rows(family_, size(), [&](std::span<std::uint8_t> to) {
        const std::uint8_t* from = row(0);
        const std::size_t half = width(family_);
        for (std::size_t at = 0; at < to.size(); at += 2 * half) {
            std::memcpy(&to[at], from + at, half);
            std::memcpy(&to[at + half], from + at, half);
        }
    });
}

Elements Elements::part(std::size_t first, std::size_t count) const {
    const auto rows_of = [&](std::span<std::uint8_t> to) { std::memcpy(to.data(), row(first), to.size()); };
    Elements part = of_rows(family_, count, rows_of);
    const auto take = [&](const auto& all, auto& some) {
        if (!all.empty()) {
            const auto from = all.begin() + static_cast<std::ptrdiff_t>(first);
            some.assign(from, from + static_cast<std::ptrdiff_t>(count));
        }
    };
    take(held().comments, part.own().comments);
    take(held().traffic, part.own().traffic);
    return part;
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
