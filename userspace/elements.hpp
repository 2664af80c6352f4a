// SPDX-License-Identifier: GPL-2.0-or-later
// What a map holds, packed: a million pairs are two or three million elements, of which few have a comment and only
// those of a dump have traffic.
#pragma once

#include "values.hpp"

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <iterator>
#include <optional>
#include <span>
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

    std::size_t size() const { return words_.size() * sizeof(Word) / row_size(); }
    bool empty() const { return words_.empty(); }

    void push_back(const Address& key, const Address& value);
    void push_back(const Element& element);
    void set_comment(std::size_t index, const Comment& comment);
    void set_traffic(std::size_t index, const Traffic& traffic);
    void sort();

    const Element operator[](std::size_t index) const;  // const: nothing is changed by assigning to a copy
    Address key(std::size_t index) const { return address(index, 0); }
    Address value(std::size_t index) const { return address(index, width(family_)); }
    const Comment& comment(std::size_t index) const { return comments_.empty() ? no_comment : comments_[index]; }
    Traffic traffic(std::size_t index) const { return traffic_.empty() ? Traffic{} : traffic_[index]; }
    // Without a comment, and nothing counted.
    bool is_plain(std::size_t index) const {
        return (comments_.empty() || comments_[index].empty()) && traffic(index) == Traffic{};
    }

    // Where the element of a key is, when they are sorted.
    std::optional<std::size_t> find(const Address& key) const;

    // A hole, or an element of a set.
    bool is_its_own_value(std::size_t index) const {
        return std::memcmp(row(index), row(index) + width(family_), width(family_)) == 0;
    }

    // Keys become values and values keys, or both are what the key was; comments and traffic stay behind.
    Elements reversed() const;
    Elements keys() const;

    // Beside others of the same family.
    std::strong_ordering compare_keys(std::size_t index, const Elements& others, std::size_t other) const {
        return family_ == Family::ipv4 ? leading(index) <=> others.leading(other)
                                       : std::memcmp(row(index), others.row(other), width(family_)) <=> 0;
    }
    bool same_value(std::size_t index, const Elements& others, std::size_t other) const {
        return std::memcmp(row(index) + width(family_), others.row(other) + width(family_), width(family_)) == 0;
    }
    // How many from here on are the same but for their traffic.
    std::size_t count_same(std::size_t index, const Elements& others, std::size_t other) const;
    bool operator==(const Elements& others) const {
        return size() == others.size() && (empty() || family_ == others.family_) && count_same(0, others, 0) == size();
    }

    // The bytes of all keys, each with its value behind it, and of one.
    std::span<const std::uint8_t> rows() const { return {row(0), words_.size() * sizeof(Word)}; }
    const std::uint8_t* row(std::size_t index) const { return bytes() + index * row_size(); }
    bool has_comments() const { return !comments_.empty(); }

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
    using Word = std::array<std::uint8_t, 4>;

    static const Comment no_comment;

    static constexpr std::size_t width(Family family) { return family == Family::ipv4 ? 4 : 16; }
    static constexpr std::size_t row_size(Family family) { return 2 * width(family); }
    std::size_t row_size() const { return row_size(family_); }

    Address address(std::size_t index, std::size_t offset) const {
        Address address{family_, {}};
        std::memcpy(address.bytes.data(), row(index) + offset, width(family_));
        return address;
    }

    const std::uint8_t* bytes() const { return reinterpret_cast<const std::uint8_t*>(words_.data()); }
    // Its first bytes, which are all of an IPv4 address, as a number.
    std::uint32_t leading(std::size_t index) const { return static_cast<std::uint32_t>(number_at(row(index)) >> 32); }
    void append(const std::uint8_t* address);
    template <std::size_t size>
    void sort_rows();

    Family family_ = Family::ipv4;
    std::vector<Word> words_;        // of the rows
    std::vector<Comment> comments_;  // as many as rows, or none
    std::vector<Traffic> traffic_;   // as many as rows, or none
};

}  // namespace statnat
