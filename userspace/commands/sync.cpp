// SPDX-License-Identifier: GPL-2.0-or-later
// What the commands do with a configuration, a kernel and an output.
#include "commands/sync.hpp"

#include "commands/listing.hpp"
#include "config/toml_file.hpp"
#include "error.hpp"
#include "netlink/routes.hpp"
#include "pairs/objections.hpp"
#include "printable.hpp"
#include "quantity.hpp"
#include "ruleset/explanation.hpp"
#include "ruleset/inventory.hpp"
#include "ruleset/layout.hpp"
#include "ruleset/machine.hpp"
#include "ruleset/plan.hpp"

#include <algorithm>
#include <functional>

#include <spdlog/spdlog.h>

namespace statnat {

namespace {

std::string_view name(Engine engine) {
    return engine == Engine::expression ? "expression" : "native";
}

std::string_view name(Counters counters) {
    switch (counters) {
    case Counters::pair: return "per pair";
    case Counters::rule: return "per rule";
    case Counters::off: break;
    }
    return "off";
}

Configuration read(const Path& file, Progress& progress) {
    const Progress::Step step(progress, "reading " + file.string());
    return read_configuration(file);
}

bool uses_expression(const Rule& rule) {
    return std::any_of(rule.statements.begin(), rule.statements.end(),
                       [](const Statement& statement) { return std::holds_alternative<SnatStateless>(statement); });
}

bool uses_expression(const Ruleset& ruleset) {
    return std::any_of(ruleset.begin(), ruleset.end(), [](const Table& table) {
        return std::any_of(table.chains.begin(), table.chains.end(), [](const Chain& chain) {
            return std::any_of(chain.rules.begin(), chain.rules.end(),
                               [](const Rule& rule) { return uses_expression(rule); });
        });
    });
}

// Whoever has rules with the expression has the module; only otherwise is the kernel asked, in a batch of its own.
Availability availability(Kernel& kernel, const Ruleset& actual) {
    return uses_expression(actual) ? Availability{true, {}} : kernel.probe();
}

// `choice` is nothing for auto; what not all engines can have says where it was asked for.
Engine pick_engine(Kernel& kernel, EngineChoice choice, const Configuration& configuration, const Ruleset& actual) {
    const auto& not_for_native = configuration.not_for_native;
    if (choice == Engine::native && not_for_native) {
        throw InvalidConfiguration{{*not_for_native}};
    }
    if (choice == Engine::native) {
        return Engine::native;
    }
    const Availability expression = availability(kernel, actual);
    if (expression.available) {
        return Engine::expression;
    }
    if (choice == Engine::expression) {
        throw CannotGoOn{"engine \"expression\" is not to be had: " + expression.why_not +
                         (not_for_native ? "" : "; or use engine \"native\"")};
    }
    if (not_for_native) {
        throw CannotGoOn{not_for_native->text() + ", and " + expression.why_not};
    }
    spdlog::debug("engine native, since {}", expression.why_not);
    return Engine::native;
}

// What was there, what has been made of it, and how.
struct Change {
    Ruleset before;
    Ruleset after;
    Plan plan;
};

void consent(const Change&) {}

// Reads, decides, commits, and starts again when somebody else came in between. `decide` makes the desired ruleset of
// what is there; `approve` may throw at what is about to be committed.
Change change(Kernel& kernel, const std::function<Ruleset(const Ruleset&)>& decide, Depth depth = Depth::elements,
              const std::function<void(const Change&)>& approve = consent) {
    Change last;
    bool uncertain = false;  // whether `last` was done
    for (int attempt = 0; attempt < attempts; ++attempt) {
        Snapshot snapshot = kernel.read(depth);
        if (uncertain && plan(last.after, snapshot.ruleset).empty()) {
            return last;
        }
        last.after = decide(snapshot.ruleset);
        last.plan = plan(last.after, snapshot.ruleset);
        const std::vector<Selection> carried = carried_over(last.plan, snapshot.ruleset);
        if (!kernel.count(snapshot, carried)) {
            continue;
        }
        if (!carried.empty()) {
            last.plan = plan(last.after, snapshot.ruleset);
        }
        last.before = std::move(snapshot.ruleset);
        if (last.plan.empty()) {
            return last;
        }
        approve(last);
        const Committed committed = kernel.commit(last.plan, snapshot.generation, last.after);
        if (committed == Committed::yes) {
            return last;
        }
        uncertain = committed == Committed::unknown;
        spdlog::debug("{}: planning again",
                      uncertain ? "the kernel's answer got lost" : "somebody else committed in between");
    }
    throw CannotGoOn{"somebody else changes the ruleset all the time: gave up after " + std::to_string(attempts) +
                     " attempts; nothing of this is done"};
}

// "added 2, removed 1, changed 3 pairs, wrote the rules"
std::string summary(const Change& change) {
    if (change.plan.empty()) {
        return "nothing to change";
    }
    std::string text;
    const auto append = [&](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
    const PairCounts pairs = count_pairs(change.plan);
    if (pairs.added != 0) {
        append("added " + quantity(pairs.added, "pair"));
    }
    if (pairs.removed != 0) {
        append("removed " + quantity(pairs.removed, "pair"));
    }
    if (pairs.changed != 0) {
        append("changed " + quantity(pairs.changed, "pair"));
    }
    const auto any = [&](auto matches) { return std::any_of(change.plan.begin(), change.plan.end(), matches); };
    if (any([&](const Step& step) {
            const auto* old = std::get_if<DeleteMap>(&step);
            return old && any([&](const Step& other) {
                const auto* now = std::get_if<AddMap>(&other);
                return now && now->family == old->family && now->map.name == old->map.name;
            });
        })) {
        append("replaced maps");
    }
    if (any([](const Step& step) {
            return std::holds_alternative<AddChain>(step) || std::holds_alternative<AddRules>(step);
        })) {
        append("wrote rules");
    }
    if (change.after.empty()) {
        append(change.before.size() == 1 ? "deleted the table" : "deleted the tables");
    }
    return text.empty() ? "repaired the table" : text;
}

// Of this network namespace, as far as it can be known, with what `more` asks for. Nothing is said of the rest.
Machine this_machine(const std::function<void(Netlink&, Machine&)>& more) {
    Machine machine;
    try {
        Netlink netlink(open_route_socket());
        machine.own = read_own_addresses(netlink);
        more(netlink, machine);
    } catch (const CannotGoOn& failure) {
        spdlog::debug("{}", failure.sentence);
    }
    return machine;
}

void warn_of_this_machine(const Pairs& pairs) {
    const bool has_prefixes = std::any_of(pairs.tiers().begin(), pairs.tiers().end(), [](const auto& one) {
        return one.first.length != full_length(one.first.family);
    });
    if (has_prefixes) {
        const Machine machine =
            this_machine([](Netlink& netlink, Machine& found) { found.routers = read_routers(netlink); });
        for (const std::string& sentence : warnings(pairs, machine)) {
            spdlog::warn("{}", printable(sentence));
        }
    }
}

// Why a sync would be refused, if it would: nobody takes that many pairs away without saying so.
std::optional<std::string> suspicion(const Plan& plan, const Ruleset& desired, const Ruleset& actual,
                                     const Path& file) {
    const Loss found = loss(plan, desired, actual);
    if (!found.is_suspicious()) {
        return std::nullopt;
    }
    return "this would remove " + (found.lost == found.of ? "all " : std::to_string(found.lost) + " of ") +
           quantity(found.of, "pair") + ", as if " + file.string() +
           " were cut off: if it is not, sync --force removes them (and clear all there are)";
}

EngineChoice chosen(const std::optional<EngineChoice>& option, const Configuration& configuration) {
    return option ? *option : configuration.engine;
}

// Says when the file at its default place does not have the pair as the kernel now has it; a missing file says nothing.
void note_disagreement(const Path& file, const Pair& pair, bool present) {
    std::error_code ignored;
    if (!std::filesystem::exists(file, ignored)) {
        return;
    }
    try {
        const Configuration configuration = read_configuration(file);
        const auto other = configuration.pairs.find(pair.internal, Side::internal);
        const bool in_file = other && other->external == pair.external && other->npt == pair.npt;
        if (present && !in_file) {
            spdlog::warn("{} does not have this pair: the next sync removes it", file.string());
        } else if (!present && in_file) {
            spdlog::warn("{} still has this pair: the next sync adds it again", file.string());
        }
    } catch (const InvalidConfiguration&) {
        spdlog::warn("{} has errors: whether it agrees is not known (statnat-nft check {})", file.string(),
                     file.string());
    }
}

Prefix parse_side(const std::string& text) {
    if (const auto prefix = Prefix::parse(text)) {
        return *prefix;
    }
    throw CannotGoOn{not_a_side(text), exit_usage};
}

// "address", or "address; 10.1.0.0/24 203.0.113.0/24 covers it" to say what could be deleted instead.
std::string no_pair_has(const Prefix& side, const Pairs& pairs) {
    std::string what = side.is_host() ? "address" : "prefix";
    for (const Pair& pair : pairs) {
        if (pair.internal.covers(side) || pair.external.covers(side)) {
            what += "; " + pair.text() + " covers it";
        }
    }
    return what;
}

// What a gateway without pairs starts from.
Configuration settings_of(const Path& file) {
    std::error_code ignored;
    Configuration settings;
    if (std::filesystem::exists(file, ignored)) {
        settings = read_configuration(file);
        settings.pairs = {};
        settings.not_for_native.reset();
    }
    return settings;
}

// What stock payload statements cannot do, in the words of docs/statnat-nft.8.
constexpr std::string_view native_lacks[] = {
    "ICMP errors are translated in their outer header only: traceroute, path MTU discovery and \"port unreachable\" do "
    "not work across this gateway",
    "an ICMP error from a router that has no pair reaches nobody: its quote is not looked at",
    "a packet with its transport header cut off is sent untranslated or unchecked, not dropped and counted",
    "checksums of DCCP and HIP, and in IPv6 of OSPF, PIM, VRRP and mobility headers, are not repaired: these do not pass",
    "the outer UDP checksum of a tunnel comes out wrong where the inner one is left to the network card",
    "a neighbour solicitation that asks for an external IPv6 address by unicast is translated too and gets no answer; "
    "the multicast one that follows does",
    "prefixes and NPTv6 need the expression",
    "IPsec's policies are not looked up for the external address: what they ask for is not done",
    "copies that dup makes, and what others mark untracked between two exempt hosts that have pairs, are translated",
    "with nothing exempt, hosts of one bridge of this machine under br_netfilter do not reach each other's external addresses",
    "exempt destinations read \"ct state\", which switches conntrack on for everything else on this machine",
};

// What a new pair starts from: what the kernel says, and for a family that has no table yet, what the file exempts.
Configuration settings_beside(const Inventory& found, Family family, const Path& file) {
    if (!found.engine) {
        return settings_of(file);
    }
    Configuration settings = found.configuration();
    if (!found.has_table(family)) {
        std::vector<Prefix> exempt = settings_of(file).exempt_destinations;
        std::erase_if(exempt, [&](const Prefix& prefix) { return prefix.address.family != family; });
        settings.exempt_destinations.insert(settings.exempt_destinations.end(), exempt.begin(), exempt.end());
    }
    return settings;
}

// "2 of 3072 IPv4, 1 of 48 IPv6 /48 npt"
std::string occupancy(const Inventory& found) {
    std::string text;
    for (const Occupancy& maps : found.occupancies) {
        text += (text.empty() ? "" : ", ") + std::to_string(maps.pairs) + " of " + std::to_string(maps.capacity) + " " +
                std::string(name(maps.family)) +
                (maps.length == full_length(maps.family) ? "" : " /" + std::to_string(maps.length)) +
                (maps.npt ? " npt" : "");
    }
    return text.empty() ? "none" : text;
}

// What the kernel's own pairs, rules and settings would ask for.
Ruleset expected(const Inventory& found) {
    return layout(found.configuration(), found.engine.value_or(Engine::native));
}

// A line for everything that somebody else has changed; none exactly where `sync` and `diff` have nothing to do, either.
std::vector<std::string> damages(const Inventory& found, const Ruleset& actual) {
    return describe(plan(expected(found), actual));
}

}  // namespace

int sync(Kernel& kernel, const Path& file, const std::optional<EngineChoice>& option, bool force, Progress& progress,
         std::ostream& out) {
    const Configuration configuration = read(file, progress);
    const auto approve = [&](const Change& planned) {
        const auto reason = suspicion(planned.plan, planned.after, planned.before, file);
        if (reason && !force) {
            throw CannotGoOn{*reason + "; nothing has been done"};
        }
    };
    const auto decide = [&](const Ruleset& actual) {
        return layout(configuration, pick_engine(kernel, chosen(option, configuration), configuration, actual));
    };
    const Change done = change(kernel, decide, Depth::elements, approve);
    out << summary(done) << '\n';
    warn_of_this_machine(configuration.pairs);
    return exit_done;
}

int check(const Path& file, Progress& progress, std::ostream& out) {
    const Configuration configuration = read(file, progress);
    if (configuration.engine == Engine::native && configuration.not_for_native) {
        throw InvalidConfiguration{{*configuration.not_for_native}};
    }
    out << file.string() << ": " << quantity(configuration.pairs.size(), "pair") << ", no errors\n";
    warn_of_this_machine(configuration.pairs);
    return exit_done;
}

int diff(Kernel& kernel, const Path& file, const std::optional<EngineChoice>& option, bool exit_code,
         Progress& progress, std::ostream& out) {
    const Configuration configuration = read(file, progress);
    const Ruleset actual = kernel.read().ruleset;
    const Engine engine = pick_engine(kernel, chosen(option, configuration), configuration, actual);
    const Ruleset desired = layout(configuration, engine);
    const Plan steps = plan(desired, actual);
    for (const std::string& line : describe(steps)) {
        out << line << '\n';
    }
    if (const auto reason = suspicion(steps, desired, actual, file)) {
        spdlog::warn("{}", *reason);
    }
    return exit_code && !steps.empty() ? exit_different : exit_done;
}

int list(Kernel& kernel, ListFormat format, std::ostream& out) {
    const std::vector<CountedPair> pairs = counted_pairs(kernel.read(Depth::traffic).ruleset);
    switch (format) {
    case ListFormat::table: out << as_table(pairs); break;
    case ListFormat::json: out << as_json(pairs); break;
    case ListFormat::csv: out << as_csv(pairs); break;
    }
    return exit_done;
}

int add(Kernel& kernel, const Path& file, const std::string& internal, const std::string& external, bool npt,
        const std::string& comment, std::ostream& out) {
    const std::string cannot = "cannot add " + internal + " " + external + ": ";
    Request request{parse_side(internal), parse_side(external), npt, comment};
    request.settle(false);
    if (const auto reason = why_not(request, {})) {
        throw CannotGoOn{cannot + *reason, exit_usage};
    }
    const Pair pair = request.pair();
    const Change done = change(kernel, [&](const Ruleset& actual) {
        const Inventory found = inventory(actual);
        if (const auto reason = why_not(request, found.pairs)) {
            throw CannotGoOn{cannot + *reason};
        }
        Configuration wanted = settings_beside(found, pair.internal.address.family, file);
        const Engine engine = found.engine ? *found.engine : pick_engine(kernel, wanted.engine, wanted, actual);
        const auto reason = why_not_native(pair);
        if (engine == Engine::native && reason) {
            throw CannotGoOn{cannot + *reason};
        }
        wanted.pairs = found.pairs;
        wanted.pairs.push_back(pair);
        wanted.pairs.sort();
        return layout(wanted, engine);
    });
    out << summary(done) << '\n';
    note_disagreement(file, pair, true);
    return exit_done;
}

int del(Kernel& kernel, const Path& file, const std::string& text, std::ostream& out) {
    const Prefix side = parse_side(text);
    Pair pair;
    const Change done = change(kernel, [&](const Ruleset& actual) {
        const Inventory found = inventory(actual);
        Configuration wanted = found.configuration();
        auto leaving = wanted.pairs.find(side, Side::internal);
        if (!leaving) {
            leaving = wanted.pairs.find(side, Side::external);
        }
        if (!leaving) {
            throw CannotGoOn{"cannot delete " + text + ": no pair has this " + no_pair_has(side, wanted.pairs)};
        }
        pair = *leaving;
        wanted.pairs = wanted.pairs.without(pair);
        if (const auto reason = why_not_without(wanted.pairs)) {
            throw CannotGoOn{"cannot delete " + text + ", because without it " + *reason};
        }
        return layout(wanted, found.engine ? *found.engine : pick_engine(kernel, {}, wanted, actual));
    });
    out << summary(done) << '\n';
    note_disagreement(file, pair, false);
    return exit_done;
}

int explain(Kernel& kernel, const std::string& text, bool json, std::ostream& out) {
    const auto address = Address::parse(text);
    if (!address) {
        throw CannotGoOn{in_quotes(text) + " is not an address: legal is one such as 10.0.0.2 or fd00::2", exit_usage};
    }
    const Explanation explanation = explain(kernel.read().ruleset, *address);
    out << (json ? as_json(explanation) : as_text(explanation));
    return explanation.has_pair() ? exit_done : exit_refused;
}

int status(Kernel& kernel, std::ostream& out) {
    const Ruleset actual = kernel.read().ruleset;
    const Availability module = availability(kernel, actual);
    const std::string module_line =
        "module: " + (module.available ? "available" : "not available: " + module.why_not) + "\n";
    if (actual.empty()) {
        out << "nothing is installed: there is no table " << table_name << "\n" << module_line;
        return exit_done;
    }
    const Inventory found = inventory(actual);
    out << "engine: " << (found.engine ? name(*found.engine) : "none") << "\n" << module_line;
    out << "pairs: " << occupancy(found) << "\n";
    out << "counters: " << name(found.counters) << "\n";
    for (const CountedRule& rule : found.rules) {
        out << "rule: " << quantity(rule.traffic.packets, "packet") << ", " << quantity(rule.traffic.bytes, "byte")
            << ": " << printable(rule.chain) << ": " << printable(rule.text) << " (" << name(rule.family) << ")\n";
    }
    if (found.engine == Engine::expression) {
        out << "dropped: " << quantity(found.dropped, "packet") << " that could not be translated whole\n";
    }
    const std::vector<std::string> wrong = damages(found, actual);
    out << "rules: " << (wrong.empty() ? "as expected" : "not as expected; what a repair would do:") << "\n";
    for (const std::string& line : wrong) {
        out << "  " << line << "\n";
    }
    if (found.engine == Engine::native) {
        for (const std::string_view sentence : native_lacks) {
            out << "lacks: " << sentence << "\n";
        }
    }
    Machine machine = this_machine([&](Netlink& netlink, Machine& of) {
        of.unrouted = without_route(netlink, some_external(found.pairs));
    });
    machine.chains = kernel.chains_of_others();
    for (const std::string& sentence : notes(found.pairs, machine)) {
        out << "note: " << printable(sentence) << "\n";
    }
    return wrong.empty() ? exit_done : exit_refused;
}

int clear(Kernel& kernel, std::ostream& out) {
    const Change done = change(kernel, [](const Ruleset&) { return Ruleset{}; }, Depth::known);
    out << summary(done) << '\n';
    return exit_done;
}

}  // namespace statnat
