// SPDX-License-Identifier: GPL-2.0-or-later
// The elements of a map, kept up to date, and what those that have changed were before: packed but for what has changed
// of late, since a million pairs are two million of them.
#pragma once

#include "pairs/elements.hpp"

#include <map>
#include <optional>

namespace statnat {

class Book {
public:
    using Entry = std::optional<Element>;  // nothing: there is none

    Entry find(const Address& key) const;
    void put(const Element& element);
    void erase(const Address& key);
    // All are these, sorted by key.
    void replace(const Elements& elements);

    // What was there at the last settling, of each key that was put or erased since.
    const std::map<Address, Entry>& before() const { return before_; }
    void settle();

    std::size_t pairs() const;  // elements that are not holes

private:
    void touch(const Address& key);
    void pack();

    Elements packed_;
    std::map<Address, Entry> since_;  // what has become of them since they were packed
    std::map<Address, Entry> before_;
};

}  // namespace statnat
