// SPDX-License-Identifier: GPL-2.0-or-later
#include "monitor/ledger.hpp"

#include "ruleset/ruleset.hpp"

#include <algorithm>
#include <iterator>
#include <tuple>

namespace statnat {
namespace {

std::optional<MapRole> role_of(Family family, const std::string& map) {
    Map named;
    named.name = map;
    return MapRole::of(named, family);
}

Book::Entry entry_before(const Book& book, const Address& key) {
    const auto found = book.before().find(key);
    return found == book.before().end() ? book.find(key) : found->second;
}

Difference difference_of(const std::optional<Held>& was, const std::optional<Held>& now) {
    return {.what = now ? *now : *was, .was = now ? was : std::nullopt, .removed = !now};
}

}  // namespace

void Ledger::take(const Transaction& transaction) {
    for (const Deed& deed : transaction.deeds) {
        take(deed);
    }
}

void Ledger::take(const Deed& deed) {
    Book* book = book_of(deed.family, deed.map);
    if (!book && deed.of != Deed::Of::table) {
        return;  // no map of pairs
    }
    if (deed.of == Deed::Of::elements) {
        for (const Element& element : deed.elements) {
            deed.gone ? book->erase(element.key) : book->put(element);
        }
    } else if (!deed.gone) {
        there_.emplace(deed.family, deed.map);
    } else {
        there_.erase({deed.family, deed.map});
        if (book) {
            book->replace({});
        }
    }
}

// The kernel tells of a table that goes only when its maps have gone, but it does not tell what these held.
void Ledger::replace(Family family, bool has_table, const std::vector<std::string>& maps) {
    std::erase_if(there_, [&](const Place& place) { return place.first == family; });
    if (has_table) {
        there_.emplace(family, "");
    }
    for (const std::string& map : maps) {
        there_.emplace(family, map);
    }
    for (auto& [tier, books] : books_) {
        for (const Side side : {Side::internal, Side::external}) {
            const Tier& of = tier;
            const bool is_there = std::any_of(maps.begin(), maps.end(), [&](const std::string& map) {
                return role_of(family, map) == MapRole{side, of.length, of.npt, of.inbound};
            });
            if (of.family == family && !is_there) {
                books.by(side).replace({});
            }
        }
    }
}

void Ledger::replace(Family family, const std::string& map, const Elements& elements) {
    if (Book* book = book_of(family, map)) {
        book->replace(elements);
    }
}

Book* Ledger::book_of(Family family, const std::string& map) {
    const auto role = role_of(family, map);
    return role ? &books_[{family, role->length, role->npt, role->inbound}].by(role->key) : nullptr;
}

std::vector<Difference> Ledger::differences() {
    std::vector<Difference> differences;
    for (auto& [tier, books] : books_) {
        append_pairs(tier, books, differences);
        books.by_internal.settle();
        books.by_external.settle();
    }
    append_containers(differences);
    were_there_ = there_;
    return differences;
}

std::optional<Held> Ledger::Books::held(const Tier& tier, const Address& internal, const Address& external,
                                        bool before) const {
    const auto entry = [&](const Book& book, const Address& key) {
        return before ? entry_before(book, key) : book.find(key);
    };
    const Book::Entry out = entry(by_internal, internal);
    const Book::Entry in = entry(by_external, external);
    Held held{{{internal, tier.length}, {external, tier.length}, tier.npt, {}, tier.inbound},
              out && out->value == external,
              in && in->value == internal};
    if (held.outbound) {
        held.pair.comment = out->comment;
    }
    held.outbound = tier.inbound ? held.inbound : held.outbound;  // it is whole so
    return held.outbound || held.inbound ? std::optional(held) : std::nullopt;
}

// A pair that goes and one that comes for the same internal side are one change. An element that is its own value is a
// hole.
void Ledger::append_pairs(const Tier& tier, const Books& books, std::vector<Difference>& differences) const {
    std::map<Address, std::set<Address>> touched;  // internal to external
    const auto touch = [&](Side key, const Book::Entry& entry) {
        if (entry && entry->key != entry->value) {
            const bool by_internal = key == Side::internal;
            touched[by_internal ? entry->key : entry->value].insert(by_internal ? entry->value : entry->key);
        }
    };
    for (const Side side : {Side::internal, Side::external}) {
        const Book& book = side == Side::internal ? books.by_internal : books.by_external;
        for (const auto& [key, before] : book.before()) {
            touch(side, before);
            touch(side, book.find(key));
        }
    }
    for (const auto& [internal, externals] : touched) {
        std::vector<Held> gone;
        std::vector<Held> come;
        for (const Address& external : externals) {
            const auto was = books.held(tier, internal, external, true);
            const auto now = books.held(tier, internal, external, false);
            if (was && now && *was != *now) {
                differences.push_back(difference_of(was, now));
            } else if (was && !now) {
                gone.push_back(*was);
            } else if (now && !was) {
                come.push_back(*now);
            }
        }
        if (gone.size() == 1 && come.size() == 1) {
            differences.push_back(difference_of(gone.front(), come.front()));
            continue;
        }
        for (const Held& held : gone) {
            differences.push_back(difference_of(held, std::nullopt));
        }
        for (const Held& held : come) {
            differences.push_back(difference_of(std::nullopt, held));
        }
    }
}

// Where a table comes or goes, so do its maps.
void Ledger::append_containers(std::vector<Difference>& differences) const {
    const auto append = [&](const std::set<Place>& some, const std::set<Place>& others, bool removed) {
        for (const Place& place : some) {
            const std::string table = table_text(place.first, table_);
            if (others.contains(place) || (!place.second.empty() && !others.contains({place.first, ""}))) {
                continue;
            }
            const Container what =
                place.second.empty() ? Container{"table", table} : Container{"map", table + " " + place.second};
            differences.push_back({.what = what, .removed = removed});
        }
    };
    append(were_there_, there_, true);
    append(there_, were_there_, false);
}

std::size_t Ledger::pairs() const {
    std::size_t pairs = 0;
    for (const auto& [tier, books] : books_) {
        pairs += (tier.inbound ? books.by_external : books.by_internal).pairs();
    }
    return pairs;
}

}  // namespace statnat
