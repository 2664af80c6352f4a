// SPDX-License-Identifier: GPL-2.0-or-later
#include "wire/refusals.hpp"

#include "error.hpp"
#include "printable.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <variant>
#include <vector>

#include <fmt/format.h>

namespace statnat {

namespace {

constexpr const char* no_capability = "needs CAP_NET_ADMIN in this network namespace (run it as root)";

// What a step was about to do to its table, to follow "the kernel refused ".
struct StepName {
    std::string operator()(const AddTable&) const { return "to add the table"; }
    std::string operator()(const DeleteTable&) const { return "to delete the table"; }
    std::string operator()(const AddMap& step) const { return "to add " + named(step.map); }
    std::string operator()(const DeleteMap& step) const { return "to delete " + named(step.map); }
    std::string operator()(const AddElements& step) const { return "to add elements to " + named(step.map); }
    std::string operator()(const DeleteElements& step) const { return "to delete elements of " + named(step.map); }
    std::string operator()(const AddPrefixSet& step) const { return "to add set " + step.set.name; }
    std::string operator()(const AddStandingMap& step) const { return "to add map " + step.map.name; }
    std::string operator()(const DeleteSet& step) const { return "to delete set " + step.name; }
    std::string operator()(const AddChain& step) const { return "to add chain " + step.chain.name; }
    std::string operator()(const FlushChain& step) const { return "to flush chain " + step.name; }
    std::string operator()(const AddRules& step) const { return "to add rules to chain " + step.chain; }
    std::string operator()(const DeleteChain& step) const { return "to delete chain " + step.name; }

    static std::string named(const Map& map) { return (map.values ? "map " : "set ") + map.name; }
};

// Those that a step brings.
const std::vector<Rule>* rules_of(const Step& step) {
    if (const auto* chain = std::get_if<AddChain>(&step)) {
        return &chain->chain.rules;
    }
    const auto* rules = std::get_if<AddRules>(&step);
    return rules ? &rules->rules : nullptr;
}

bool uses_expression(const Step& step) {
    const auto* rules = rules_of(step);
    return rules && uses_expression(*rules);
}

bool forwards(const Step& step) {
    const auto in_statement = [](const Statement& statement) {
        const auto* ours = std::get_if<SnatStateless>(&statement);
        return ours && ours->forward;
    };
    const auto* rules = rules_of(step);
    return rules && std::any_of(rules->begin(), rules->end(), [&](const Rule& rule) {
        return std::any_of(rule.statements.begin(), rule.statements.end(), in_statement);
    });
}

std::vector<MapReference> all_maps(const SnatStateless& statement) {
    std::vector<MapReference> maps = statement.maps;
    maps.insert(maps.end(), statement.else_maps.begin(), statement.else_maps.end());
    return maps;
}

std::string named(const std::vector<MapReference>& maps) {
    std::string list;
    for (const MapReference& map : maps) {
        list += (list.empty() ? "@" : ", @") + legible(map.name);
    }
    return list;
}

// Where a chain may be that has the statement.
std::string hooks_of(const SnatStateless& statement) {
    if (statement.followed) {
        return statement.follow ? "snat_stateless with follow and followed works in chains of the hook postrouting"
                                : "snat_stateless with followed works in filter and route chains of the hook "
                                  "postrouting";
    }
    if (statement.only_decides()) {
        return fmt::format("snat_stateless {} works in filter and route chains of the hooks prerouting and output",
                           statement.untrack ? "with untrack" : "saddr with follow");
    }
    if (statement.forward) {
        return "snat_stateless with forward works in filter and route chains of the hook prerouting";
    }
    if (!statement.via.empty()) {
        return statement.field == Field::source
                   ? "snat_stateless saddr with untracked and via works in filter and route chains of the hook "
                     "postrouting"
                   : "snat_stateless daddr with via works in filter and route chains of the hook prerouting";
    }
    return statement.field == Field::source
               ? "snat_stateless saddr works in filter and route chains of the hooks postrouting and input"
               : "snat_stateless daddr works in filter and route chains of the hooks prerouting and output";
}

std::optional<std::string> meaning_about(const SnatStateless& statement, int error) {
    const std::vector<MapReference> all = all_maps(statement);
    const bool one = all.size() == 1;
    const std::string maps = named(all);
    const std::string subject = one ? maps : "one of " + maps;
    const bool bounded =
        !statement.destinations.empty() || statement.errors_as ||
        std::any_of(all.begin(), all.end(), [](const MapReference& map) { return map.within.has_value(); });
    switch (error) {
    case EINVAL: return "the loaded nft_snat_stateless is another version, which does not know this statement";
    case ERANGE: return fmt::format("a prefix of {} is longer than an address of the map, or than npt allows", maps);
    case E2BIG: return "more maps than snat_stateless takes";
    case EMSGSIZE:
        return "more maps, or longer names of maps, than the kernel could list again (spread the maps over several "
               "rules)";
    case EAFNOSUPPORT: return "snat_stateless works in tables of the families ip, ip6 and inet";
    case EOPNOTSUPP: return hooks_of(statement);
    case ENODATA: return fmt::format("this table {} {}", one ? "has no map" : "does not have all of the maps", maps);
    case EMEDIUMTYPE: return fmt::format("{} is no map from addresses to addresses", subject);
    case EPROTOTYPE:
        return fmt::format("{} is not of {}addresses of this table's family, as key and as data{}; npt is for IPv6",
                           subject, one ? "" : "the same ",
                           bounded ? ", or an address behind within, unless, only or errors as is of the other family"
                                   : "");
    case EPROTONOSUPPORT:
        return fmt::format("{} is an interval, timeout or dynamic map, which snat_stateless cannot use", subject);
    case EMFILE: return fmt::format("{} is used by too many rules", subject);
    default: return std::nullopt;
    }
}

std::optional<std::string> meaning_about_ours(int error) {
    switch (error) {
    case EINVAL: return "the loaded nft_snat_stateless is another version: it does not know what this tool asks of it";
    case ERANGE: return "snat_stateless cannot translate prefixes of this length in this family";
    case E2BIG:
    case EMSGSIZE: return "there are pairs of too many prefix lengths";
    case EAFNOSUPPORT:
        return "the loaded nft_snat_stateless is an older version, which does not translate IPv6 (load the new one, or "
               "use engine \"native\")";
    case EOPNOTSUPP: return "snat_stateless cannot translate this address in this hook";
    case ENODATA: return "the map that snat_stateless names is not there";
    case EMEDIUMTYPE: return "snat_stateless needs a map from addresses to addresses";
    case EPROTOTYPE: return "the map that snat_stateless names has keys or values of another length";
    case EPROTONOSUPPORT: return "snat_stateless cannot use an anonymous, interval, timeout or dynamic map";
    case EMFILE: return "the map is used by too many rules";
    default: return std::nullopt;
    }
}

std::string reason(const Refusal& refusal) {
    const char* error = std::strerror(refusal.error);
    return refusal.text.empty() ? error : fmt::format("{} ({})", error, refusal.text);
}

}  // namespace

std::optional<std::string> meaning_of(int error, const SnatStateless* statement) {
    switch (error) {
    case ENOENT:
        return "there is no module nft_snat_stateless for this kernel (build and install it, then: modprobe "
               "nft_snat_stateless)";
    case EPERM: return "snat_stateless works only in network namespaces that the initial user namespace owns";
    default: return statement ? meaning_about(*statement, error) : meaning_about_ours(error);
    }
}

std::string sentence(const Refusal& refusal, const Batch& batch, const Plan& plan) {
    const std::size_t number = batch.step(refusal.sequence);
    if (number == Batch::no_step) {
        return refusal.error == EPERM ? no_capability
                                      : fmt::format("the kernel refused the transaction: {}", reason(refusal));
    }
    const Step& step = plan.at(number);
    const Family family = std::visit([](const auto& alternative) { return alternative.family; }, step);
    const std::string table = table_text(family, batch.table);
    auto meaning = uses_expression(step) ? meaning_of(refusal.error) : std::nullopt;
    if (refusal.error == EINVAL && forwards(step)) {
        meaning = "the loaded nft_snat_stateless is an older version, which has no fast path (load the new one, or say "
                  "fast-path = false)";
    }
    return fmt::format("the kernel refused {} ({}): {}", std::visit(StepName{}, step), table,
                       meaning                  ? *meaning
                       : refusal.error == EPERM ? fmt::format("another process owns table {}", table)
                                                : reason(refusal));
}

bool is_about_elements(const Refusal& refusal, const Batch& batch, const Plan& plan) {
    const std::size_t number = batch.step(refusal.sequence);
    const bool may_be = refusal.error == ENOENT || refusal.error == EEXIST || refusal.error == ENFILE;
    return may_be && number != Batch::no_step &&
           (std::holds_alternative<AddElements>(plan.at(number)) ||
            std::holds_alternative<DeleteElements>(plan.at(number)));
}

std::string sentence_about_probe(const Refusal& refusal, const Batch& probe) {
    const bool of_rule = refusal.sequence == probe.confirmed;
    if (!of_rule && refusal.error == EPERM) {
        throw CannotGoOn{no_capability};
    }
    const auto meaning = of_rule ? meaning_of(refusal.error) : std::nullopt;
    return meaning ? *meaning : fmt::format("the kernel refuses to try it: {}", reason(refusal));
}

std::string sentence_about_question(const Refusal& refusal) {
    return refusal.error == EPERM ? no_capability
                                  : fmt::format("the kernel does not let us read its ruleset: {}", reason(refusal));
}

}  // namespace statnat
