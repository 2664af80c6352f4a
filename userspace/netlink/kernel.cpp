// SPDX-License-Identifier: GPL-2.0-or-later
// Asks in the right order, and asks again when somebody interfered.
#include "netlink/kernel.hpp"

#include "error.hpp"
#include "quantity.hpp"
#include "wire/decoder.hpp"
#include "wire/questions.hpp"
#include "wire/refusals.hpp"

#include <algorithm>
#include <cerrno>
#include <numeric>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace statnat {

namespace {

// Each comes in a datagram of its own, which a receive buffer of an unprivileged size must hold.
constexpr std::size_t elements_at_once = 64;

// A transaction takes it one further, past 0 (net/netfilter/nf_tables_api.c).
std::uint32_t generation_after(std::uint32_t generation) {
    return generation + 1 == 0 ? 1 : generation + 1;
}

std::vector<Selection> all_counted(const Ruleset& ruleset) {
    std::vector<Selection> selections;
    for (const Table& table : ruleset) {
        for (const Map& map : table.maps) {
            if (map.counters && !map.foreign) {
                std::vector<std::size_t> elements(map.elements.size());
                std::iota(elements.begin(), elements.end(), 0);
                selections.push_back({table.family, map.name, std::move(elements)});
            }
        }
    }
    return selections;
}

std::size_t count_elements(const Plan& plan) {
    std::size_t count = 0;
    for (const Step& step : plan) {
        if (const auto* add = std::get_if<AddElements>(&step)) {
            count += add->map.elements.size();
        } else if (const auto* remove = std::get_if<DeleteElements>(&step)) {
            count += remove->map.elements.size();
        }
    }
    return count;
}

Map& map_of(Ruleset& ruleset, const Selection& selection) {
    for (Table& table : ruleset) {
        for (Map& map : table.maps) {
            if (table.family == selection.family && map.name == selection.map) {
                return map;
            }
        }
    }
    throw CannotGoOn{"internal error: there is no map " + selection.map};
}

}  // namespace

Kernel::Kernel(Netlink netlink, StateFile state, Progress& progress)
    : netlink_(std::move(netlink)), state_(std::move(state)), progress_(progress) {}

std::uint32_t Kernel::generation() {
    std::optional<std::uint32_t> generation;
    const Answer answer = netlink_.ask(ask_generation(netlink_.next_sequence()),
                                       [&](Message message) { generation = decode_generation(message); });
    if (answer.refusal) {
        throw CannotGoOn{sentence_about_question(*answer.refusal)};
    }
    if (!generation) {
        throw CannotGoOn{"the kernel does not tell the generation of its ruleset"};
    }
    return *generation;
}

// Takes from `known` what is in it; null: nothing is known.
std::optional<Table> Kernel::read_table(Family family, Depth depth, StateFile::Contents* known, Progress::Step& step,
                                        bool& interrupted) {
    TableDecoder decoder(family);
    bool gone = false;
    const auto dump = [&](const Bytes& question, void (TableDecoder::*decode)(Message)) {
        if (gone) {
            return;
        }
        const Answer answer = netlink_.ask(question, [&](Message message) {
            (decoder.*decode)(message);
            step.count(decoder.elements_read());
        });
        interrupted = interrupted || answer.interrupted;
        if (answer.refusal && (answer.refusal->error == ENOENT || answer.refusal->error == EAFNOSUPPORT)) {
            gone = true;
        } else if (answer.refusal) {
            throw CannotGoOn{sentence_about_question(*answer.refusal)};
        }
    };
    dump(ask_table(family, netlink_.next_sequence()), &TableDecoder::table);
    if (gone) {
        return {};
    }
    dump(ask_sets(family, netlink_.next_sequence()), &TableDecoder::set);
    for (const std::string& set : decoder.sets_to_read()) {
        if (known && known->contains({family, set})) {
            decoder.put(set, std::move(known->at({family, set})));
        } else if (depth != Depth::known) {
            dump(ask_elements(family, set, netlink_.next_sequence()), &TableDecoder::elements);
        }
    }
    dump(ask_chains(family, netlink_.next_sequence()), &TableDecoder::chain);
    dump(ask_rules(family, netlink_.next_sequence()), &TableDecoder::rule);
    interrupted = interrupted || gone;  // it was there when we began
    return decoder.finish();
}

Snapshot Kernel::read(Depth depth) {
    for (int attempt = 0; attempt < attempts; ++attempt) {
        Snapshot snapshot;
        snapshot.generation = generation();
        std::optional<Progress::Step> step(std::in_place, progress_, "reading the elements that the kernel holds");
        auto known = state_.recall(snapshot.generation);
        trusting_ = known.has_value();
        bool interrupted = false;
        for (const Family family : families) {
            if (auto table = read_table(family, depth, known ? &*known : nullptr, *step, interrupted)) {
                snapshot.ruleset.push_back(std::move(*table));
            }
        }
        if (interrupted || generation() != snapshot.generation) {
            spdlog::debug("somebody else committed while the ruleset was read: again");
            continue;
        }
        snapshot.counted = !known && depth != Depth::known;
        if (snapshot.counted) {
            state_.keep(snapshot.generation, snapshot.ruleset);
        }
        step.reset();
        if (depth != Depth::traffic || count(snapshot, all_counted(snapshot.ruleset))) {
            return snapshot;
        }
    }
    throw CannotGoOn{fmt::format(
        "somebody else changes the ruleset all the time: gave up reading it after {} attempts", attempts)};
}

bool Kernel::count(Snapshot& snapshot, const std::vector<Selection>& selections) {
    if (snapshot.counted) {
        return true;
    }
    Progress::Step step(progress_, "reading the counters of elements");
    std::size_t before = 0;
    for (const Selection& selection : selections) {
        const std::span<const std::size_t> elements = selection.elements;
        Map& map = map_of(snapshot.ruleset, selection);
        for (std::size_t first = 0; first < elements.size(); first += elements_at_once) {
            const std::size_t some = std::min(elements_at_once, elements.size() - first);
            if (!count(selection.family, map, elements.subspan(first, some))) {
                if (generation() == snapshot.generation) {
                    distrust();
                }
                return false;
            }
            step.count(before + first + some);
        }
        before += elements.size();
    }
    return selections.empty() || generation() == snapshot.generation;
}

bool Kernel::count(Family family, Map& map, std::span<const std::size_t> elements) {
    auto next = elements.begin();
    const Answer answer =
        netlink_.ask(ask_elements(family, map, elements, netlink_.next_sequence()), [&](Message message) {
            const auto traffic =
                next == elements.end() ? std::nullopt : decode_traffic(message, map.elements.key(*next));
            if (traffic) {
                map.elements.set_traffic(*next++, *traffic);
            }
        });
    return !answer.refusal && !answer.interrupted && next == elements.end();
}

// The kernel does not have what the file says, although nobody has changed anything since: all is to be read.
void Kernel::distrust() {
    spdlog::debug("what the maps were known to hold is wrong: reading them");
    state_.forget();
    trusting_ = false;
}

Committed Kernel::commit(const Plan& plan, std::uint32_t generation, const Ruleset& after) {
    const Progress::Step step(progress_,
                              fmt::format("writing {} elements to the kernel", grouped(count_elements(plan))));
    const Batch batch = encode(plan, generation, netlink_.next_sequence());
    const Outcome outcome = netlink_.commit(batch);
    if (outcome.result == Result::done) {
        state_.keep(generation_after(generation), after);
        return Committed::yes;
    }
    if (outcome.result == Result::unknown) {
        return Committed::unknown;
    }
    if (outcome.refusal.error == ERESTART) {
        return Committed::outdated;
    }
    if (trusting_ && is_about_elements(outcome.refusal, batch, plan)) {
        distrust();
        return Committed::outdated;
    }
    throw CannotGoOn{sentence(outcome.refusal, batch, plan)};
}

std::vector<OtherChain> Kernel::chains_of_others() {
    std::vector<OtherChain> chains;
    netlink_.ask(ask_chains_of_all(netlink_.next_sequence()), [&](Message message) {
        if (auto chain = decode_chain_of_others(message)) {
            chains.push_back(std::move(*chain));
        }
    });
    return chains;
}

Availability Kernel::probe() {
    const Batch batch = encode_probe(netlink_.next_sequence());
    const Outcome outcome = netlink_.commit(batch);
    if (outcome.result == Result::done) {
        return {true, {}};
    }
    if (outcome.result == Result::unknown) {
        throw CannotGoOn{"the kernel does not answer"};
    }
    return {false, sentence_about_probe(outcome.refusal, batch)};
}

}  // namespace statnat
