// SPDX-License-Identifier: GPL-2.0-or-later
// What a map holds, packed: a million pairs are two or three million elements, of which few have a comment and only
// those of a dump have traffic.
#pragma once

#include "values.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <optional>
#include <vector>

namespace statnat {

struct Element {
    Address key;
    Address value;  // the same as key in a set
    Comment comment{};
    Traffic traffic{};  // of this moment; not part of what is compared
};

// Elements of one family, in the order in which they came until they are sorted by key.
class Elements {
public:
    Elements() = default;
    Elements(std::initializer_list<Element> elements);

    std::size_t size() const { return addresses_.size() / row_size(); }
    bool empty() const { return addresses_.empty(); }
    void reserve(Family family, std::size_t elements) { addresses_.reserve(elements * row_size(family)); }

    void push_back(const Element& element);
    void set_traffic(std::size_t index, const Traffic& traffic);
    void sort();

    const Element operator[](std::size_t index) const;  // const: nothing is changed by assigning to a copy
    Address key(std::size_t index) const { return address(index, 0); }
    Address value(std::size_t index) const { return address(index, width(family_)); }
    const Comment& comment(std::size_t index) const { return comments_.empty() ? no_comment : comments_[index]; }
    Traffic traffic(std::size_t index) const { return traffic_.empty() ? Traffic{} : traffic_[index]; }

    // The element of a key, when they are sorted.
    std::optional<Element> find(const Address& key) const;

    // The same but for their traffic.
    bool operator==(const Elements& elements) const;

    class Iterator {
    public:
        using value_type = Element;
        using difference_type = std::ptrdiff_t;
        using pointer = void;
        using reference = Element;
        using iterator_category = std::input_iterator_tag;

        Iterator(const Elements& elements, std::size_t index) : elements_(&elements), index_(index) {}
        Element operator*() const { return (*elements_)[index_]; }
        Iterator& operator++() { return ++index_, *this; }
        bool operator==(const Iterator& iterator) const { return index_ == iterator.index_; }

    private:
        const Elements* elements_;
        std::size_t index_;
    };

    Iterator begin() const { return {*this, 0}; }
    Iterator end() const { return {*this, size()}; }

private:
    static const Comment no_comment;

    static constexpr std::size_t width(Family family) { return family == Family::ipv4 ? 4 : 16; }
    static constexpr std::size_t row_size(Family family) { return 2 * width(family); }
    std::size_t row_size() const { return row_size(family_); }
    const std::uint8_t* row(std::size_t index) const { return addresses_.data() + index * row_size(); }

    Address address(std::size_t index, std::size_t offset) const {
        Address address{family_, {}};
        std::copy_n(row(index) + offset, width(family_), address.bytes.begin());
        return address;
    }

    bool is_sorted() const;
    void sort_with(const std::vector<std::size_t>& order);

    Family family_ = Family::ipv4;
    std::vector<std::uint8_t> addresses_;  // rows of key and value
    std::vector<Comment> comments_;        // as many as rows, or none
    std::vector<Traffic> traffic_;         // as many as rows, or none
};

}  // namespace statnat
