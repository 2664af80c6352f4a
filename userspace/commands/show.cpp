// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/show.hpp"

#include "actual/routes.hpp"
#include "actual/this_machine.hpp"
#include "commands/engine.hpp"
#include "commands/neighbours.hpp"
#include "doctor/doctor.hpp"
#include "error.hpp"
#include "fence/filters.hpp"
#include "fence/survey.hpp"
#include "fence/upkeep.hpp"
#include "printable.hpp"
#include "records/interface_pairs.hpp"
#include "records/source_record.hpp"
#include "reports/digest.hpp"
#include "reports/explanation_text.hpp"
#include "reports/listing.hpp"
#include "reports/plan_text.hpp"
#include "reports/statistics_text.hpp"
#include "reports/status_text.hpp"
#include "ruleset/explanation.hpp"
#include "ruleset/inventory.hpp"
#include "ruleset/layout.hpp"
#include "version.hpp"
#include "vrf/delivery.hpp"

#include <chrono>
#include <optional>
#include <system_error>
#include <vector>

#include <fmt/format.h>

namespace statnat {

namespace {

// What the kernel's own pairs, rules and settings would ask for.
Ruleset expected(const Inventory& found) {
    return layout(found.configuration(), found.engine.value_or(Engine::native));
}

// A line for everything that somebody else has changed; none exactly where `sync` and `diff` have nothing to do,
// either.
std::vector<std::string> damages(const Kernel& kernel, const Inventory& found, const Ruleset& actual) {
    std::vector<std::string> found_wrong = describe(plan(expected(found), actual), kernel.instance().table());
    if (!kernel.instance().is_named()) {
        const Configuration asking = found.configuration();
        const std::vector<std::string> of_fence = breaches(fence(asking, interfaces_there()), survey());
        found_wrong.insert(found_wrong.end(), of_fence.begin(), of_fence.end());
    }
    return found_wrong;
}

// What pairs mean for this machine and for the rulesets of others.
std::vector<std::string> notes_about(Kernel& kernel, const Inventory& found) {
    Machine machine = this_machine(
        [&](Netlink& netlink, Machine& of) { of.unrouted = without_route(netlink, some_external(found.pairs)); });
    std::vector<std::string> leaks;
    if (found.conntrack == Conntrack::bypass) {
        machine.chains = kernel.chains_of_others();  // no rule of which sees what conntrack does not
    } else {
        leaks = warnings_of_flowtables(kernel.flowtables());
    }
    std::vector<std::string> sentences = notes(found.pairs, machine);
    sentences.insert(sentences.end(), leaks.begin(), leaks.end());
    return sentences;
}

std::vector<std::string> ailments_since(Kernel& kernel, const Baseline::Record& record) {
    std::vector<std::string> found = kernel.drift(record);
    const std::vector<std::string> open = gaps(kernel.fence());
    const std::vector<std::string> strays = astray(kernel.vrf());
    found.insert(found.end(), open.begin(), open.end());
    found.insert(found.end(), strays.begin(), strays.end());
    const std::vector<std::string> elsewhere = moved(kernel.interface_pairs(), addresses_of_interfaces);
    const std::vector<std::string> without = waiting(kernel.interface_pairs());
    const auto source = recall_source(kernel.source());
    const std::vector<std::string> old = source ? source->ailments() : std::vector<std::string>();
    found.insert(found.end(), old.begin(), old.end());
    found.insert(found.end(), elsewhere.begin(), elsewhere.end());
    found.insert(found.end(), without.begin(), without.end());
    if (!record.degraded.empty()) {
        found.push_back(record.degraded);
    }
    if (record.version != version) {
        found.push_back(fmt::format("what is loaded is of version {}, this is {}: sync", record.version, version));
    }
    const std::string module = module_version();
    if (!module.empty() && module != version) {
        found.push_back(fmt::format("the kernel's module is of version {}, this is {}", module, version));
    }
    return found;
}

// Where nothing is known to have been loaded since boot.
std::vector<std::string> ailments_beside(Kernel& kernel, const std::filesystem::path& file) {
    const Ruleset actual = kernel.read().ruleset;
    if (!actual.empty()) {
        return damages(kernel, inventory(actual), actual);
    }
    std::error_code ignored;
    if (!std::filesystem::exists(file, ignored)) {
        return {};
    }
    return {fmt::format("nothing is loaded, although there is {}", file.string())};
}

}  // namespace

int list(Kernel& kernel, const Choice& choice, ListFormat format, std::ostream& out) {
    const std::vector<CountedPair> pairs = chosen(counted_pairs(kernel.read(Depth::traffic).ruleset), choice);
    switch (format) {
    case ListFormat::table: out << as_table(pairs); break;
    case ListFormat::json: out << as_json(pairs); break;
    case ListFormat::csv: out << as_csv(pairs); break;
    }
    return exit_done;
}

Address read_address(const std::string& text) {
    if (const auto address = Address::parse(text)) {
        return *address;
    }
    throw CannotGoOn{fmt::format("{} is not an address: legal is one such as 10.0.0.2 or fd00::2", in_quotes(text)),
                     exit_usage};
}

int explain(Kernel& kernel, const std::string& text, bool json, std::ostream& out) {
    const Address address = read_address(text);
    const Explanation explanation = explain(kernel.read().ruleset, address);
    out << (json ? as_json(explanation) : as_text(explanation, kernel.instance().table()));
    return explanation.has_pair() ? exit_done : exit_refused;
}

int status(Kernel& kernel, bool json, std::ostream& out) {
    const Ruleset actual = kernel.read().ruleset;
    Status status{.table = kernel.instance().table(),
                  .is_installed = !actual.empty(),
                  .no_module = availability(kernel, actual).why_not};
    if (status.is_installed) {
        status.found = inventory(actual);
        status.damages = damages(kernel, status.found, actual);
        status.notes = notes_about(kernel, status.found);
        status.digest = digest(status.found.pairs);
    }
    if (const auto source = recall_source(kernel.source())) {
        status.source = {source->loaded, std::chrono::duration<double>(source->age()).count(), source->is_stale(),
                         source->endpoint, source->refused.empty() ? source->trouble : source->refused};
    }
    status.drained = is_drained(kernel);
    out << (json ? as_json(status) : as_text(status));
    return status.damages.empty() ? exit_done : exit_refused;
}

int stats(Kernel& kernel, bool json, bool explained, std::ostream& out) {
    const std::vector<FamilyStatistics> all = statistics(kernel.read(Depth::traffic).ruleset);
    out << (json ? as_json(all, explained) : as_text(all, explained, kernel.instance().table()));
    return exit_done;
}

std::vector<std::string> ailments(Kernel& kernel, const std::filesystem::path& file) {
    const auto record = kernel.baseline().recall();
    return record ? ailments_since(kernel, *record) : ailments_beside(kernel, file);
}

int health(Kernel& kernel, const std::filesystem::path& file, bool json, std::ostream& out) {
    const std::vector<std::string> found = ailments(kernel, file);
    out << (json ? as_json(found) : as_text(found));
    return found.empty() ? exit_done : exit_refused;
}

}  // namespace statnat
