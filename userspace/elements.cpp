// SPDX-License-Identifier: GPL-2.0-or-later
#include "elements.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <numeric>

namespace statnat {
namespace {

// Rows without anything beside them, sorted where they are. Keys differ, so whole rows may be compared.
template <std::size_t size>
void sort_rows(std::vector<std::uint8_t>& rows) {
    using Row = std::array<std::uint8_t, size>;
    auto* first = reinterpret_cast<Row*>(rows.data());
    std::sort(first, first + rows.size() / size,
              [](const Row& a, const Row& b) { return std::memcmp(a.data(), b.data(), size) < 0; });
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
    if (empty()) {
        family_ = element.key.family;
    }
    const std::size_t index = size();
    for (const Address* side : {&element.key, &element.value}) {
        addresses_.insert(addresses_.end(), side->bytes.begin(), side->bytes.begin() + width(family_));
    }
    if (!comments_.empty() || !element.comment.empty()) {
        comments_.resize(index);
        comments_.push_back(element.comment);
    }
    if (!traffic_.empty() || element.traffic != Traffic{}) {
        traffic_.resize(index);
        traffic_.push_back(element.traffic);
    }
}

void Elements::set_traffic(std::size_t index, const Traffic& traffic) {
    traffic_.resize(size());
    traffic_[index] = traffic;
}

void Elements::sort() {
    if (is_sorted()) {
        return;
    }
    if (!comments_.empty() || !traffic_.empty()) {
        std::vector<std::size_t> order(size());
        std::iota(order.begin(), order.end(), 0);
        std::sort(order.begin(), order.end(),
                  [&](std::size_t a, std::size_t b) { return std::memcmp(row(a), row(b), row_size()) < 0; });
        sort_with(order);
    } else if (family_ == Family::ipv4) {
        sort_rows<row_size(Family::ipv4)>(addresses_);
    } else {
        sort_rows<row_size(Family::ipv6)>(addresses_);
    }
}

bool Elements::is_sorted() const {
    for (std::size_t index = 1; index < size(); ++index) {
        if (std::memcmp(row(index - 1), row(index), row_size()) > 0) {
            return false;
        }
    }
    return true;
}

void Elements::sort_with(const std::vector<std::size_t>& order) {
    std::vector<std::uint8_t> addresses;
    addresses.reserve(addresses_.size());
    for (const std::size_t index : order) {
        addresses.insert(addresses.end(), row(index), row(index) + row_size());
    }
    comments_ = in_order(comments_, order);
    traffic_ = in_order(traffic_, order);
    addresses_ = std::move(addresses);
}

const Element Elements::operator[](std::size_t index) const {
    return {key(index), value(index), comment(index), traffic(index)};
}

std::optional<Element> Elements::find(const Address& wanted) const {
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
    if (low == size() || key(low) != wanted) {
        return std::nullopt;
    }
    return (*this)[low];
}

bool Elements::operator==(const Elements& elements) const {
    if (addresses_ != elements.addresses_ || (family_ != elements.family_ && !empty())) {
        return false;
    }
    for (std::size_t index = 0; index < size(); ++index) {
        if (comments_.empty() && elements.comments_.empty()) {
            return true;
        }
        if (comment(index) != elements.comment(index)) {
            return false;
        }
    }
    return true;
}

}  // namespace statnat
