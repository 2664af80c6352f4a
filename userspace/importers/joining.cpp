// SPDX-License-Identifier: GPL-2.0-or-later
#include "importers/joining.hpp"

#include "pairs/objections.hpp"
#include "printable.hpp"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include <fmt/format.h>

namespace statnat {
namespace {

// A pair while its halves are collected, at the place of the first.
struct Whole {
    Finding finding;
    bool outbound = false;
    bool inbound = false;
    std::vector<Leftover> untaken{};  // of any half
};

class Joiner {
public:
    Joiner(Reading reading, std::string_view file) : reading_(std::move(reading)), file_(file) {}

    Joined join();

private:
    void collect();
    void add(Whole& whole, Finding finding);
    void leave_halves();
    void judge(Whole& whole);
    void leave_collisions();
    bool leave_some_collisions();
    void note_interfaces();
    std::string mention(const Place& at) const { return fmt::format(" ({})", at.text(file_)); }

    Reading reading_;
    std::string_view file_;
    std::vector<Whole> wholes_;
    Joined joined_;
};

Joined Joiner::join() {
    collect();
    leave_halves();
    leave_collisions();
    note_interfaces();
    for (Whole& whole : wholes_) {
        judge(whole);
    }
    joined_.leftovers = std::move(reading_.leftovers);
    std::stable_sort(joined_.leftovers.begin(), joined_.leftovers.end(),
                     [](const Leftover& a, const Leftover& b) { return a.at.line < b.at.line; });
    return std::move(joined_);
}

void Joiner::collect() {
    std::map<std::tuple<Prefix, Prefix, bool>, std::size_t> known;
    for (Finding& finding : reading_.findings) {
        Proposal proposal{finding.internal, finding.external, finding.npt, {}};
        proposal.settle(false);
        const auto alone = objections(proposal);
        if (!alone.empty()) {
            reading_.leave(finding.at, alone.front().sentence);
            continue;
        }
        finding.internal = *proposal.internal;
        finding.external = *proposal.external;
        const auto key = std::tuple(finding.internal, finding.external, finding.npt);
        const auto [entry, is_new] = known.emplace(key, wholes_.size());
        if (is_new) {
            wholes_.emplace_back().finding = finding;
        }
        add(wholes_[entry->second], std::move(finding));
    }
}

void Joiner::add(Whole& whole, Finding finding) {
    whole.outbound = whole.outbound || finding.direction != Direction::inbound;
    whole.inbound = whole.inbound || finding.direction != Direction::outbound;
    if (!finding.untaken.empty()) {
        whole.untaken.push_back({finding.at, std::move(finding.untaken)});
    }
    std::string& comment = whole.finding.comment;
    if (comment.empty()) {
        comment = std::move(finding.comment);
    } else if (!finding.comment.empty() && finding.comment != comment) {
        reading_.leave(finding.at, fmt::format("the comment {} is left out: the pair has {} already{}",
                                               in_quotes(finding.comment), in_quotes(comment),
                                               mention(whole.finding.at)));
    }
}

void Joiner::leave_halves() {
    std::erase_if(wholes_, [&](const Whole& whole) {
        const std::string internal = whole.finding.internal.short_text();
        const std::string external = whole.finding.external.short_text();
        if (!whole.inbound) {
            reading_.leave(whole.finding.at,
                           fmt::format("{0} leaves as {1}, but nothing sends {1} to it: a pair would, and everybody "
                                       "could reach it from outside; it is left out",
                                       internal, external));
        } else if (!whole.outbound) {
            reading_.leave(whole.finding.at,
                           fmt::format("{0} comes to {1}, but nothing has that leave as {0}: a pair would, for all "
                                       "that it sends; it is left out",
                                       external, internal));
        }
        return !whole.inbound || !whole.outbound;
    });
}

void Joiner::judge(Whole& whole) {
    const Finding& finding = whole.finding;
    Proposal proposal{finding.internal, finding.external, finding.npt, finding.comment};
    for (const PartObjection& objection : objections(proposal)) {  // to the comment, since all else was judged before
        reading_.leave(finding.at, "the pair is taken, but not its comment: " + objection.sentence);
        proposal.comment = {};
    }
    for (Leftover& untaken : whole.untaken) {
        reading_.leave(std::move(untaken.at), "the pair is taken, but not " + untaken.sentence);
    }
    joined_.pairs.push_back(proposal.pair());
}

// What goes may have been all that another one collides with.
void Joiner::leave_collisions() {
    while (leave_some_collisions()) {
    }
}

// Each that collides with one that stays.
bool Joiner::leave_some_collisions() {
    std::vector<Candidate> all;
    for (const Whole& whole : wholes_) {
        all.push_back({whole.finding.internal, whole.finding.external, whole.finding.npt});
    }
    auto collisions = overlaps(all).collisions;
    std::stable_sort(collisions.begin(), collisions.end(),
                     [](const Collision& a, const Collision& b) { return a.later < b.later; });
    std::vector<bool> goes(wholes_.size());
    for (const Collision& collision : collisions) {
        if (!goes[collision.earlier] && !goes[collision.later]) {
            goes[collision.later] = true;
            reading_.leave(wholes_[collision.later].finding.at,
                           sentence(collision, all, mention(wholes_[collision.earlier].finding.at)) +
                               "; this one is left out");
        }
    }
    std::size_t number = 0;
    return std::erase_if(wholes_, [&](const Whole&) { return goes[number++]; }) > 0;
}

// One sentence for each, however many there are.
void Joiner::note_interfaces() {
    for (auto& [name, places] : reading_.interfaces) {
        constexpr std::size_t most = 10;
        std::stable_sort(places.begin(), places.end(), [](const Place& a, const Place& b) { return a.line < b.line; });
        std::string list;
        for (std::size_t i = 0; i < std::min(most, places.size()); ++i) {
            list += (i == 0 ? "" : ", ") +
                    (places[i].line != 0 ? std::to_string(places[i].line) : places[i].name);
        }
        if (places.size() > most) {
            list += fmt::format(" and {} more", places.size() - most);
        }
        joined_.notes.push_back(fmt::format("{}: {} is not taken over (at {}): pairs translate by whatever interface "
                                            "packets come and leave, unless external-interfaces names some",
                                            file_, in_quotes(name), list));
    }
}

}  // namespace

Joined join(Reading reading, std::string_view file) {
    return Joiner(std::move(reading), file).join();
}

}  // namespace statnat
