// SPDX-License-Identifier: GPL-2.0-or-later
// Asks in the right order, and asks again when somebody interfered.
#include "actual/kernel.hpp"

#include "actual/counting.hpp"
#include "actual/excerpt.hpp"
#include "actual/listeners.hpp"
#include "quantity.hpp"
#include "wire/questions.hpp"
#include "wire/wire.hpp"

#include <algorithm>
#include <cerrno>
#include <set>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace statnat {

namespace {

using Clock = std::chrono::steady_clock;

// Who has not gone on loading for so long is taken for dead.
constexpr std::chrono::milliseconds longest_pause(3000);

}  // namespace

Kernel::Kernel(Sockets sockets, Records records, Progress& progress, std::chrono::seconds most, Instance instance)
    : sockets_(std::move(sockets)), instance_(std::move(instance)), netlink_(sockets_.talk()),
      watch_(sockets_.listen, instance_), records_(std::move(records)), progress_(progress), most_(most) {}

Snapshot Kernel::read(Depth depth) {
    return read(depth, nullptr);
}

Snapshot Kernel::read_around(const Candidate& pair) {
    return read(Depth::elements, &pair);
}

Snapshot Kernel::read(Depth depth, const Candidate* around) {
    for (Patience patience(most_); patience.lasts();) {
        if (auto snapshot = try_to_read(depth, around, patience)) {
            return std::move(*snapshot);
        }
        spdlog::debug("reading again: somebody else committed meanwhile, or there is more to be read");
        listen();
    }
    throw out_of_patience("while reading it");
}

// Whoever reads all elements does so for long, and listens meanwhile.
std::optional<Snapshot> Kernel::try_to_read(Depth depth, const Candidate* around, Patience& patience) {
    Snapshot snapshot;
    snapshot.generation = watch_.is_on() ? listen() : read_generation(netlink_);
    auto known = records_.state.recall(snapshot.generation);
    const bool loaded = !known && loading_;
    if (loaded) {
        known = loading_->contents();
    }
    const bool excerpt = around && excerpts_ && !known;
    const bool asks_all = !known && !excerpt && depth != Depth::known;
    if (asks_all && !watch_.is_on()) {
        snapshot.generation = listen();
    }
    trusting_ = known || excerpt;
    std::optional<Progress::Step> step(std::in_place, progress_, "reading the elements that the kernel holds");
    Reader reader(netlink_, watch_, patience, *step, instance_.table());
    for (const Family family : families) {
        if (auto table = reader.read(family, excerpt ? Depth::known : depth, known ? &*known : nullptr)) {
            snapshot.ruleset.push_back(std::move(*table));
        }
    }
    if (loaded && !loading_->stands_in(snapshot.ruleset)) {
        loading_.reset();
        return std::nullopt;
    }
    if (excerpt && !take_excerpt(snapshot, *around)) {
        return std::nullopt;
    }
    if (!reader.is_whole() || !still_holds(snapshot.generation)) {
        return std::nullopt;
    }
    snapshot.counted = asks_all || excerpt;
    if (asks_all) {
        records_.state.keep(snapshot.generation, snapshot.ruleset);
    }
    step.reset();
    if (depth == Depth::traffic && !count(snapshot, all_counted(snapshot.ruleset))) {
        return std::nullopt;
    }
    return snapshot;
}

bool Kernel::take_excerpt(Snapshot& snapshot, const Candidate& pair) {
    Excerpt excerpt(netlink_, sockets_.talk, snapshot.ruleset, instance_.table());
    excerpts_ = excerpt.take(pair);
    snapshot.ruleset = excerpt.finish();
    snapshot.whole = false;
    return excerpts_;
}

// From the present generation on, which it returns.
std::uint32_t Kernel::listen() {
    return watch_.begin([&] { return read_generation(netlink_); });
}

// What was read at one generation; takes that to the present one.
bool Kernel::still_holds(std::uint32_t& generation) {
    const std::uint32_t now = read_generation(netlink_);
    if (now != generation && !(watch_.is_on() && watch_.reaches(now))) {
        return false;
    }
    generation = now;
    return true;
}

bool Kernel::count(Snapshot& snapshot, const std::vector<Selection>& selections) {
    if (snapshot.counted) {
        return true;
    }
    Progress::Step step(progress_, "reading the counters of elements");
    Counting counting(netlink_, instance_.table(), [&](std::size_t count) {
        step.count(count);
        watch_.hear();
    });
    if (counting.read(snapshot.ruleset, selections)) {
        return selections.empty() || still_holds(snapshot.generation);
    }
    if (still_holds(snapshot.generation)) {
        distrust();
    }
    return false;
}

// The kernel does not have what the file says, or has more than an excerpt shows, although nobody has changed anything
// since: all is to be read.
void Kernel::distrust() {
    spdlog::debug("what the maps were known to hold is wrong: reading them");
    records_.state.forget();
    unload();
    trusting_ = false;
    excerpts_ = false;
}

bool Kernel::load(const Plan& plan, const Snapshot& before, const Ruleset& after) {
    auto loading = Loading::of(plan, before.ruleset, after);
    if (!loading) {
        return false;
    }
    watch_.end();
    loading_ = std::move(loading);
    Progress::Step step(progress_, fmt::format("writing {} elements to the kernel", grouped(count_elements(plan))));
    if (!loading_->run(netlink_, instance_.table(), before.generation, [&](std::size_t count) { step.count(count); })) {
        loading_.reset();
    }
    return true;
}

void Kernel::unload() {
    if (loading_) {
        loading_->undo(netlink_, instance_.table());
        loading_.reset();
    }
}

bool Kernel::outlasts_loading(const Snapshot& snapshot) {
    auto mark = loading_mark(snapshot.ruleset);
    if (!mark || loading_) {
        return false;
    }
    watch_.end();
    for (Clock::time_point since = Clock::now(); mark && Clock::now() - since < longest_pause;) {
        std::this_thread::sleep_for(longest_pause / 100);
        const auto now = loading_mark(read(Depth::known).ruleset);
        if (now != mark) {
            since = Clock::now();
        }
        mark = now;
    }
    return !mark;
}

Committed Kernel::commit(const Plan& plan, const Snapshot& before, const Ruleset& after) {
    std::uint32_t generation = before.generation;
    const std::size_t elements = count_elements(plan);
    const Progress::Step step(progress_,
                              elements == 0 ? "writing rules to the kernel"
                                            : fmt::format("writing {} elements to the kernel", grouped(elements)));
    Batch batch = encode(plan, instance_.table(), generation, netlink_.next_sequence());
    const Outcome outcome = send(batch, elements, generation);
    if (outcome.result == Result::done) {
        if (before.whole) {
            records_.state.keep(generation_after(generation), after);
        }
        records_.baseline.keep(generation_after(generation), instance_.table(), after,
                               before.whole ? witnesses(after) : staying(plan));
        watch_.end();
        loading_.reset();
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

void Kernel::confirm(const Snapshot& snapshot) const {
    if (snapshot.whole) {
        records_.baseline.keep(snapshot.generation, instance_.table(), snapshot.ruleset, witnesses(snapshot.ruleset));
    }
}

// An excerpt may have none of them in sight.
std::vector<Witness> Kernel::staying(const Plan& plan) const {
    const auto record = records_.baseline.recall();
    std::vector<Witness> staying = record ? record->witnesses : std::vector<Witness>();
    for (const Step& step : plan) {
        if (const auto* gone = std::get_if<DeleteElements>(&step)) {
            std::erase_if(staying, [&](const Witness& witness) {
                return witness.family == gone->family && witness.map == gone->map.name &&
                       gone->map.elements.find(witness.key);
            });
        }
    }
    return staying;
}

// Again and again while others commit to other tables only. What other instances have was looked at before.
Outcome Kernel::send(Batch& batch, std::size_t elements, std::uint32_t& generation) {
    const Outcome outdated{Result::refused, {0, ERESTART, {}}};
    for (Patience patience(most_); patience.lasts();) {
        if (watch_.is_on() && (!still_holds(generation) || watch_.has_others())) {
            return outdated;
        }
        if (elements > most_at_once) {
            watch_.end();  // the kernel would write a message for each of them
            refuse_without_room(elements);
        }
        batch.aim(generation);
        const Outcome outcome = netlink_.commit(batch);
        if (outcome.result != Result::refused || outcome.refusal.error != ERESTART || !watch_.is_on()) {
            return outcome;
        }
        spdlog::debug("somebody else committed in between: sending it again");
    }
    return outdated;
}

std::vector<std::string> Kernel::drift(const Baseline::Record& since) {
    std::vector<std::string> sentences = statnat::drift(since, read(Depth::known).ruleset, instance_.table());
    for (const Witness& witness : since.witnesses) {
        const auto element = read_all(netlink_, patience(), [&](std::uint32_t sequence) {
            return ask_element(witness.family, instance_.table(), witness.map, witness.key, sequence);
        });
        if (sentences.empty() && !element) {
            sentences.push_back(fmt::format("map {} {} has lost {}", table_text(witness.family, instance_.table()),
                                            witness.map, witness.key.text()));
        }
    }
    return sentences;
}

std::optional<Disturbance> Kernel::wait(std::chrono::milliseconds most, int also) {
    if (!watch_.is_on()) {
        const std::uint32_t generation = listen();
        const auto record = records_.baseline.recall();
        return record && record->generation != generation ? std::optional(Disturbance{}) : std::nullopt;
    }
    watch_.wait(most, also);
    if (watch_.reaches(read_generation(netlink_))) {
        return std::nullopt;
    }
    const Disturbance disturbance{watch_.culprit()};
    if (watch_.has_lost()) {
        listen();
    }
    return disturbance;
}

std::vector<Sibling> Kernel::siblings(Depth depth) {
    std::set<std::string> names;
    for (const Family family : families) {
        const auto ask = [&](std::uint32_t sequence) { return ask_tables(family, sequence); };
        for (const Bytes& table : read_all(netlink_, patience(), ask).value_or(std::vector<Bytes>{})) {
            names.insert(decode_table_name(table));
        }
    }
    std::vector<Sibling> found;
    for (const std::string& name : names) {
        if (const auto instance = Instance::of_table(name); instance && *instance != instance_) {
            Kernel other(sockets_, {}, progress_, most_, *instance);
            found.push_back({*instance, other.read(depth).ruleset});
        }
    }
    return found;
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

std::vector<std::string> Kernel::flowtables() {
    std::vector<std::string> places;
    for (const Bytes& one : read_all(netlink_, patience(), ask_flowtables).value_or(std::vector<Bytes>{})) {
        places.push_back(place_of_flowtable(one));
    }
    return places;
}

CannotGoOn Kernel::out_of_patience(std::string_view result) const {
    return {fmt::format("{} changes the ruleset all the time: gave up after {} seconds, {}: try again while it pauses",
                        watch_.last() ? watch_.last()->text() : "somebody else", most_.count(), result)};
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
