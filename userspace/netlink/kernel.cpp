// SPDX-License-Identifier: GPL-2.0-or-later
// Asks in the right order, asks again when somebody interfered, and turns every errno into a sentence.
#include "netlink/kernel.hpp"

#include "error.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <numeric>

#include <spdlog/spdlog.h>

namespace statnat {

namespace {

constexpr const char* no_capability = "needs CAP_NET_ADMIN in this network namespace (run it as root)";
constexpr const char* no_module =
    "there is no module nft_snat_stateless for this kernel (build and install it, then: modprobe nft_snat_stateless)";

// What a step was about to do to its table, to follow "the kernel refused ".
struct StepName {
    std::string operator()(const AddTable&) const { return "to add the table"; }
    std::string operator()(const DeleteTable&) const { return "to delete the table"; }
    std::string operator()(const AddMap& step) const { return "to add " + named(step.map); }
    std::string operator()(const DeleteMap& step) const { return "to delete " + named(step.map); }
    std::string operator()(const AddElements& step) const { return "to add elements to " + named(step.map); }
    std::string operator()(const DeleteElements& step) const { return "to delete elements of " + named(step.map); }
    std::string operator()(const AddPrefixSet& step) const { return "to add set " + step.set.name; }
    std::string operator()(const DeletePrefixSet& step) const { return "to delete set " + step.name; }
    std::string operator()(const AddChain& step) const { return "to add chain " + step.chain.name; }
    std::string operator()(const FlushChain& step) const { return "to flush chain " + step.name; }
    std::string operator()(const AddRules& step) const { return "to add rules to chain " + step.chain; }
    std::string operator()(const DeleteChain& step) const { return "to delete chain " + step.name; }

    static std::string named(const Map& map) { return (map.values ? "map " : "set ") + map.name; }
};

bool uses_expression(const std::vector<Rule>& rules) {
    return std::any_of(rules.begin(), rules.end(), [](const Rule& rule) {
        return std::any_of(rule.statements.begin(), rule.statements.end(), [](const Statement& statement) {
            return std::holds_alternative<SnatStateless>(statement);
        });
    });
}

bool uses_expression(const Step& step) {
    if (const auto* chain = std::get_if<AddChain>(&step)) {
        return uses_expression(chain->chain.rules);
    }
    const auto* rules = std::get_if<AddRules>(&step);
    return rules && uses_expression(rules->rules);
}

// The vocabulary of the expression's init, as its uapi header lists it.
const char* expression_sentence(int error) {
    switch (error) {
    case ENOENT: return no_module;
    case EPERM: return "snat_stateless works only in network namespaces that the initial user namespace owns";
    case EINVAL: return "the loaded nft_snat_stateless is another version: it does not know what this tool asks of it";
    case EAFNOSUPPORT:
        return "the loaded nft_snat_stateless is an older version, which does not translate IPv6 (load the new one, or "
               "use engine \"native\")";
    case EOPNOTSUPP: return "snat_stateless cannot translate this address in this hook";
    case ENODATA: return "the map that snat_stateless names is not there";
    case EMEDIUMTYPE: return "snat_stateless needs a map from addresses to addresses";
    case EPROTOTYPE: return "the map that snat_stateless names has keys or values of another length";
    case EPROTONOSUPPORT: return "snat_stateless cannot use an anonymous, interval, timeout or dynamic map";
    case ERANGE: return "snat_stateless cannot translate prefixes of this length in this family";
    case E2BIG:
    case EMSGSIZE: return "there are pairs of too many prefix lengths";
    case EMFILE: return "the map is used by too many rules";
    default: return nullptr;
    }
}

std::string reason(const Refusal& refusal) {
    return std::string(std::strerror(refusal.error)) + (refusal.text.empty() ? "" : " (" + refusal.text + ")");
}

// One that is there already, or is not.
bool is_about_elements(const Refusal& refusal, const Batch& batch, const Plan& plan) {
    const std::size_t number = batch.step(refusal.sequence);
    return (refusal.error == ENOENT || refusal.error == EEXIST) && number != Batch::no_step &&
           (std::holds_alternative<AddElements>(plan.at(number)) || std::holds_alternative<DeleteElements>(plan.at(number)));
}

[[noreturn]] void refuse(const Refusal& refusal, const Batch& batch, const Plan& plan) {
    const std::size_t number = batch.step(refusal.sequence);
    if (number == Batch::no_step) {
        if (refusal.error == EPERM) {
            throw CannotGoOn{no_capability};
        }
        throw CannotGoOn{"the kernel refused the transaction: " + reason(refusal)};
    }
    const Step& step = plan.at(number);
    const Family family = std::visit([](const auto& alternative) { return alternative.family; }, step);
    const std::string table = table_text(family);
    const std::string what = "the kernel refused " + std::visit(StepName{}, step) + " (" + table + "): ";
    const char* sentence = uses_expression(step) ? expression_sentence(refusal.error) : nullptr;
    if (sentence) {
        throw CannotGoOn{what + sentence};
    }
    if (refusal.error == EPERM) {
        throw CannotGoOn{what + "another process owns table " + table};
    }
    throw CannotGoOn{what + reason(refusal)};
}

// Nobody but the kernel can say more about a question that it refuses.
[[noreturn]] void refuse_question(const Refusal& refusal) {
    if (refusal.error == EPERM) {
        throw CannotGoOn{no_capability};
    }
    throw CannotGoOn{"the kernel does not let us read its ruleset: " + reason(refusal)};
}

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
        refuse_question(*answer.refusal);
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
            refuse_question(*answer.refusal);
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
    throw CannotGoOn{"somebody else changes the ruleset all the time: gave up reading it after " +
                     std::to_string(attempts) + " attempts"};
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
            const auto traffic = next == elements.end() ? std::nullopt : decode_traffic(message, map.elements.key(*next));
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
    const Progress::Step step(progress_, "writing " + grouped(count_elements(plan)) + " elements to the kernel");
    const Batch batch = encode(plan, generation, netlink_.next_sequence());
    const Outcome outcome = netlink_.commit(batch);
    if (outcome.verdict == Verdict::done) {
        state_.keep(generation_after(generation), after);
        return Committed::yes;
    }
    if (outcome.verdict == Verdict::unknown) {
        return Committed::unknown;
    }
    if (outcome.refusal.error == ERESTART) {
        return Committed::outdated;
    }
    if (trusting_ && is_about_elements(outcome.refusal, batch, plan)) {
        distrust();
        return Committed::outdated;
    }
    refuse(outcome.refusal, batch, plan);
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
    if (outcome.verdict == Verdict::done) {
        return {true, {}};
    }
    if (outcome.verdict == Verdict::unknown) {
        throw CannotGoOn{"the kernel does not answer"};
    }
    const bool of_rule = outcome.refusal.sequence == batch.confirmed;
    if (!of_rule && outcome.refusal.error == EPERM) {
        throw CannotGoOn{no_capability};
    }
    const char* sentence = of_rule ? expression_sentence(outcome.refusal.error) : nullptr;
    return {false, sentence ? sentence : "the kernel refuses to try it: " + reason(outcome.refusal)};
}

}  // namespace statnat
