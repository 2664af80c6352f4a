// SPDX-License-Identifier: GPL-2.0-or-later
// What a map holds, packed: a million pairs are two or three million elements, of which few have a comment and only
// those of a dump have traffic.
#pragma once

#include "pairs/address.hpp"
#include "pairs/comment.hpp"

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace statnat {

struct Traffic {
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0;  // from the IP header on

    auto operator<=>(const Traffic&) const = default;
};

struct Element {
    Address key;
    Address value;  // the same as key in a set
    Comment comment{};
    Traffic traffic{};  // of this moment; not part of what is compared
};

// Elements of one family, in the order in which they came until they are sorted by key. Copies share their memory until
// one of them changes: rulesets and plans are full of them.
class Elements {
public:
    Elements() = default;
    Elements(std::initializer_list<Element> elements);
    // So many, whose bytes `fill` gets to write: those of the keys, each with its value behind it.
    template <typename Fill>
    static Elements of_rows(Family family, std::size_t size, Fill fill) {
        Elements elements;
        elements.family_ = family;
        std::vector<Word>& words = elements.own().words;
        words.resize(size * row_size(family) / sizeof(Word));
        fill(std::span(reinterpret_cast<std::uint8_t*>(words.data()), size * row_size(family)));
        return elements;
    }
    static constexpr std::size_t row_size(Family family) { return 2 * width(family); }

    std::size_t size() const { return held().words.size() * sizeof(Word) / row_size(); }
    bool empty() const { return held().words.empty(); }
    void reserve(Family family, std::size_t elements) {
        own().words.reserve(elements * row_size(family) / sizeof(Word));
    }

    void push_back(const Address& key, const Address& value) {
        Rows& rows = own();
        if (rows.words.empty()) {
            family_ = key.family;
        }
        append(rows, key);
        append(rows, value);
        if (!rows.comments.empty()) {
            rows.comments.emplace_back();
        }
        if (!rows.traffic.empty()) {
            rows.traffic.emplace_back();
        }
    }
    void push_back(const Element& element);
    void set_comment(std::size_t index, const Comment& comment);
    void set_traffic(std::size_t index, const Traffic& traffic);
    void sort();
    bool is_ascending() const;  // no key twice

    const Element operator[](std::size_t index) const;  // const: nothing is changed by assigning to a copy
    Address key(std::size_t index) const { return address(index, 0); }
    Address value(std::size_t index) const { return address(index, width(family_)); }
    const Comment& comment(std::size_t index) const { return has_comments() ? held().comments[index] : no_comment; }
    Traffic traffic(std::size_t index) const { return held().traffic.empty() ? Traffic{} : held().traffic[index]; }
    bool has_comments() const { return !held().comments.empty(); }
    // Without a comment, and nothing counted.
    bool is_plain(std::size_t index) const { return comment(index).empty() && traffic(index) == Traffic{}; }

    // Where the element of a key is, when they are sorted.
    std::optional<std::size_t> find(const Address& key) const;

    // A hole, or an element of a set.
    bool is_its_own_value(std::size_t index) const {
        return std::memcmp(row(index), row(index) + width(family_), width(family_)) == 0;
    }

    // Keys become values and values keys, or both are what the key was; comments and traffic stay behind.
    Elements reversed() const;
    Elements keys() const;
    // So many from there on.
    Elements part(std::size_t first, std::size_t count) const;

    // Beside others of the same family.
    std::strong_ordering compare_keys(std::size_t index, const Elements& others, std::size_t other) const {
        return compare_keys(row(index), others.row(other));
    }
    bool shares_key_with(const Elements& others) const;  // when both are sorted
    bool same_value(std::size_t index, const Elements& others, std::size_t other) const {
        return std::memcmp(row(index) + width(family_), others.row(other) + width(family_), width(family_)) == 0;
    }
    // How many from here on are the same but for their traffic.
    std::size_t count_same(std::size_t index, const Elements& others, std::size_t other) const;
    bool operator==(const Elements& others) const {
        return size() == others.size() && (empty() || family_ == others.family_) && count_same(0, others, 0) == size();
    }

    // The bytes of all keys, each with its value behind it, and of one.
    std::span<const std::uint8_t> rows() const { return {row(0), size() * row_size()}; }
    const std::uint8_t* row(std::size_t index) const {
        return reinterpret_cast<const std::uint8_t*>(held().words.data()) + index * row_size();
    }

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
    using Word = std::uint32_t;  // four bytes as they follow each other

    struct Rows {
        std::vector<Word> words;
        std::vector<Comment> comments;  // as many as rows, or none
        std::vector<Traffic> traffic;   // as many as rows, or none
    };

    static const Comment no_comment;

    static constexpr std::size_t width(Family family) { return family == Family::ipv4 ? 4 : 16; }
    std::size_t row_size() const { return row_size(family_); }

    Address address(std::size_t index, std::size_t offset) const {
        Address address{family_, {}};
        std::memcpy(address.bytes.data(), row(index) + offset, width(family_));
        return address;
    }

    // Of two rows. An IPv4 address is the first half of eight bytes.
    std::strong_ordering compare_keys(const std::uint8_t* a, const std::uint8_t* b) const {
        return family_ == Family::ipv4 ? number_at(a) >> 32 <=> number_at(b) >> 32
                                       : std::memcmp(a, b, width(Family::ipv6)) <=> 0;
    }
    const Rows& held() const {
        static const Rows none;
        return rows_ ? *rows_ : none;
    }
    // To be changed: shared with nobody.
    Rows& own() {
        if (rows_.use_count() != 1) {
            rows_ = std::make_shared<Rows>(held());
        }
        return *rows_;
    }
    void append(Rows& rows, const Address& address) const {
        for (std::size_t at = 0; at < width(family_); at += sizeof(Word)) {
            Word word;
            std::memcpy(&word, address.bytes.data() + at, sizeof word);
            rows.words.push_back(word);
        }
    }
    template <std::size_t size>
    void sort_rows();

    Family family_ = Family::ipv4;
    std::shared_ptr<Rows> rows_;  // null: none
};

}  // namespace statnat
