// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/show.hpp"

#include "commands/engine.hpp"
#include "commands/explanation_text.hpp"
#include "commands/listing.hpp"
#include "netlink/this_machine.hpp"
#include "error.hpp"
#include "netlink/routes.hpp"
#include "printable.hpp"
#include "quantity.hpp"
#include "ruleset/explanation.hpp"
#include "ruleset/inventory.hpp"
#include "ruleset/layout.hpp"
#include "ruleset/plan_text.hpp"
#include "version.hpp"

#include <fstream>
#include <optional>
#include <string_view>
#include <system_error>
#include <vector>

#include <fmt/format.h>

namespace statnat {

namespace {

std::string_view name(Counters counters) {
    switch (counters) {
    case Counters::pair: return "per pair";
    case Counters::rule: return "per rule";
    case Counters::off: break;
    }
    return "off";
}

// What stock payload statements cannot do, in the words of docs/statnat-nft.8.
constexpr std::string_view native_lacks[] = {
    "ICMP errors are translated in their outer header only: traceroute, path MTU discovery and \"port unreachable\" do "
    "not work across this gateway",
    "an ICMP error from a router that has no pair reaches nobody: its quote is not looked at",
    "a packet with its transport header cut off is sent untranslated or unchecked, not dropped and counted",
    "checksums of DCCP and HIP, and in IPv6 of OSPF, PIM, VRRP and mobility headers, are not repaired: these do not "
    "pass",
    "the outer UDP checksum of a tunnel comes out wrong where the inner one is left to the network card",
    "a neighbour solicitation that asks for an external IPv6 address by unicast is translated too and gets no answer; "
    "the multicast one that follows does",
    "this machine sends no ICMP redirects at all, not about packets of no pair either",
    "prefixes and NPTv6 need the expression",
    "IPsec's policies are not looked up for the external address: what they ask for is not done",
    "copies that dup makes, and what others mark untracked between two exempt hosts that have pairs, are translated",
    "with nothing exempt, hosts of one bridge of this machine under br_netfilter do not reach each other's external "
    "addresses",
    "exempt destinations read \"ct state\", which switches conntrack on for everything else on this machine",
};

// "2 of 3072 IPv4, 1 of 48 IPv6 /48 npt"
std::string occupancy(const Inventory& found) {
    std::string text;
    for (const Occupancy& maps : found.occupancies) {
        text += fmt::format("{}{} of {} {}{}{}", text.empty() ? "" : ", ", maps.pairs, maps.capacity, name(maps.family),
                            maps.length == full_length(maps.family) ? "" : fmt::format(" /{}", maps.length),
                            maps.npt ? " npt" : "");
    }
    return text.empty() ? "none" : text;
}

// What the kernel's own pairs, rules and settings would ask for.
Ruleset expected(const Inventory& found) {
    return layout(found.configuration(), found.engine.value_or(Engine::native));
}

// A line for everything that somebody else has changed; none exactly where `sync` and `diff` have nothing to do,
// either.
std::vector<std::string> damages(const Inventory& found, const Ruleset& actual) {
    return describe(plan(expected(found), actual));
}

// What counters of rules have seen, and what could not be translated.
void show_traffic(const Inventory& found, std::ostream& out) {
    for (const CountedRule& rule : found.rules) {
        out << fmt::format("rule: {}, {}: {}: {} ({})\n", quantity(rule.traffic.packets, "packet"),
                           quantity(rule.traffic.bytes, "byte"), printable(rule.chain), printable(rule.text),
                           name(rule.family));
    }
    if (found.engine == Engine::expression) {
        out << fmt::format("dropped: {} that could not be translated whole\n", quantity(found.dropped, "packet"));
    }
}

void show_damages(const std::vector<std::string>& damages, std::ostream& out) {
    out << "rules: " << (damages.empty() ? "as expected" : "not as expected; what a repair would do:") << "\n";
    for (const std::string& line : damages) {
        out << "  " << line << "\n";
    }
}

// What pairs mean for this machine and for the rulesets of others.
void show_notes(Kernel& kernel, const Pairs& pairs, std::ostream& out) {
    Machine machine = this_machine(
        [&](Netlink& netlink, Machine& of) { of.unrouted = without_route(netlink, some_external(pairs)); });
    machine.chains = kernel.chains_of_others();
    for (const std::string& sentence : notes(pairs, machine)) {
        out << "note: " << printable(sentence) << "\n";
    }
}

// The module that is loaded; nothing where none is, or where that cannot be seen.
std::string module_version() {
    std::string found;
    std::ifstream("/sys/module/nft_snat_stateless/version") >> found;
    return found;
}

std::vector<std::string> ailments(Kernel& kernel, const Baseline::Record& record) {
    std::vector<std::string> found = kernel.drift(record);
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
std::vector<std::string> ailments(Kernel& kernel, const std::filesystem::path& file) {
    const Ruleset actual = kernel.read().ruleset;
    if (!actual.empty()) {
        return damages(inventory(actual), actual);
    }
    std::error_code ignored;
    if (!std::filesystem::exists(file, ignored)) {
        return {};
    }
    return {fmt::format("nothing is loaded, although there is {}", file.string())};
}

}  // namespace

int list(Kernel& kernel, ListFormat format, std::ostream& out) {
    const std::vector<CountedPair> pairs = counted_pairs(kernel.read(Depth::traffic).ruleset);
    switch (format) {
    case ListFormat::table: out << as_table(pairs); break;
    case ListFormat::json: out << as_json(pairs); break;
    case ListFormat::csv: out << as_csv(pairs); break;
    }
    return exit_done;
}

int explain(Kernel& kernel, const std::string& text, bool json, std::ostream& out) {
    const auto address = Address::parse(text);
    if (!address) {
        throw CannotGoOn{fmt::format("{} is not an address: legal is one such as 10.0.0.2 or fd00::2", in_quotes(text)),
                         exit_usage};
    }
    const Explanation explanation = explain(kernel.read().ruleset, *address);
    out << (json ? as_json(explanation) : as_text(explanation));
    return explanation.has_pair() ? exit_done : exit_refused;
}

int status(Kernel& kernel, std::ostream& out) {
    const Ruleset actual = kernel.read().ruleset;
    const Availability module = availability(kernel, actual);
    const Inventory found = inventory(actual);
    const std::string module_line =
        fmt::format("module: {}{}\n", module.available ? "available" : "not available: " + module.why_not,
                    module.available && found.engine == Engine::native
                        ? ": the next sync takes it, unless its engine is \"native\""
                        : "");
    if (actual.empty()) {
        out << "nothing is installed: there is no table " << table_name << "\n" << module_line;
        return exit_done;
    }
    out << "engine: " << (found.engine ? name(*found.engine) : "none") << "\n" << module_line;
    out << "pairs: " << occupancy(found) << "\n";
    out << "counters: " << name(found.counters) << "\n";
    show_traffic(found, out);
    const std::vector<std::string> wrong = damages(found, actual);
    show_damages(wrong, out);
    if (found.engine == Engine::native) {
        for (const std::string_view sentence : native_lacks) {
            out << "lacks: " << sentence << "\n";
        }
    }
    show_notes(kernel, found.pairs, out);
    return wrong.empty() ? exit_done : exit_refused;
}

int health(Kernel& kernel, const std::filesystem::path& file, std::ostream& out) {
    const auto record = kernel.baseline().recall();
    const std::vector<std::string> found = record ? ailments(kernel, *record) : ailments(kernel, file);
    for (const std::string& sentence : found) {
        out << printable(sentence) << '\n';
    }
    if (found.empty()) {
        out << "healthy\n";
    }
    return found.empty() ? exit_done : exit_refused;
}

}  // namespace statnat
