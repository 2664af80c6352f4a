// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/gateway_table.hpp"

#include "config/exception_table.hpp"
#include "files.hpp"
#include "names.hpp"
#include "printable.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/format.h>

namespace statnat {
namespace {

namespace fs = std::filesystem;

// As in "engine, counters and mark".
std::string names_of(const auto& named, std::string_view quote = "") {
    std::string names;
    for (std::size_t i = 0; i < named.size(); ++i) {
        names += fmt::format("{}{}{}{}", i == 0 ? "" : i + 1 < named.size() ? ", " : " and ", quote, named[i].first,
                             quote);
    }
    return names;
}

}  // namespace

void GatewayTable::read(const toml::table& gateway) {
    static constexpr std::array<std::pair<std::string_view, void (GatewayTable::*)(const toml::node&)>, 18> settings{{
        {"engine", &GatewayTable::read_engine},
        {"counters", &GatewayTable::read_counters},
        {"exempt-destinations", &GatewayTable::read_exempt_destinations},
        {"only-destinations", &GatewayTable::read_only_destinations},
        {"exclude", &GatewayTable::read_exclude},
        {"except", &GatewayTable::read_except},
        {"external-interfaces", &GatewayTable::read_external_interfaces},
        {"pairs-files", &GatewayTable::find_pairs_files},
        {"npt", &GatewayTable::read_npt_of_gateway},
        {"ruleset-file", &GatewayTable::read_ruleset_file},
        {"neighbours", &GatewayTable::read_neighbours},
        {"announce", &GatewayTable::read_announce},
        {"fail-closed", &GatewayTable::read_fail_closed},
        {"mark", &GatewayTable::read_mark},
        {"vrf", &GatewayTable::read_vrf},
        {"conntrack", &GatewayTable::read_conntrack},
        {"icmp-error-source", &GatewayTable::read_icmp_error_source},
        {"fast-path", &GatewayTable::read_fast_path},
    }};
    for (const auto& [key, node, before] : in_reading_order(gateway)) {
        const auto setting = std::find_if(settings.begin(), settings.end(),
                                          [&, known = key](const auto& one) { return *known == one.first; });
        if (setting == settings.end()) {
            const std::string legal = names_of(settings);
            draft_.error(place(key->source()), fmt::format("unknown key {}: legal are {}", in_quotes(*key), legal));
        } else {
            (this->*setting->second)(*node);
        }
    }
}

void GatewayTable::read_npt_of_gateway(const toml::node& node) {
    if (const auto npt = read_switch("npt", node)) {
        draft_.npt = *npt;
    }
}

void GatewayTable::read_engine(const toml::node& node) {
    take_word(draft_.configuration.engine, engine_words, node, "engine");
}

void GatewayTable::read_counters(const toml::node& node) {
    take_word(draft_.configuration.counters, counters_words, node, "counters");
}

void GatewayTable::read_conntrack(const toml::node& node) {
    take_word(draft_.configuration.conntrack, conntrack_words, node, "conntrack");
}

template <class Value, std::size_t count>
void GatewayTable::take_word(Value& value, const Words<Value, count>& words, const toml::node& node,
                             std::string_view key) {
    const auto text = node.value<std::string_view>();
    const auto word = std::find_if(words.begin(), words.end(), [&](const auto& one) { return one.first == text; });
    if (word != words.end()) {
        value = word->second;
        draft_.set(key, what_came(node), place(node.source()));
    } else {
        draft_.error(place(node.source()), fmt::format("{} is {}: legal are {}", key, what_came(node),
                                                       names_of(words, "\"")));
    }
}

// Of a list; anything else is an error.
template <class Take>
void GatewayTable::each_in(const toml::node& node, std::string_view key, std::string_view legal, Take take) {
    if (!node.is_array()) {
        draft_.error(place(node.source()), fmt::format("{} is {}{}", key, what_came(node), legal));
        return;
    }
    for (const toml::node& element : *node.as_array()) {
        take(element);
    }
}

template <class Take>
void GatewayTable::read_prefixes(std::string_view key, std::string_view example, const toml::node& node, Take take) {
    const std::string legal = fmt::format(": legal is an array of prefixes such as {}", example);
    each_in(node, key, legal, [&](const toml::node& element) {
        const Position at = place(element.source());
        const auto text = element.value<std::string_view>();
        const auto prefix = text ? Prefix::parse(*text) : std::nullopt;
        const auto enclosing = text ? Prefix::enclosing(*text) : std::nullopt;
        if (!enclosing) {
            draft_.error(at, what_came(element) + " is not a prefix" + legal);
        } else if (!prefix) {
            draft_.error(at, fmt::format("{} has host bits set: legal is {}", what_came(element), enclosing->text()));
        } else {
            take(*prefix, at);
        }
    });
}

void GatewayTable::read_exempt_destinations(const toml::node& node) {
    read_prefixes("exempt-destinations", R"(["10.0.0.0/8", "fd00::/8"])", node, [&](const Prefix& prefix, Position) {
        draft_.configuration.exempt_destinations.push_back(prefix);
    });
    refuse_many_beside_interfaces(place(node.source()));
}

void GatewayTable::read_only_destinations(const toml::node& node) {
    draft_.set("only-destinations", "a list", place(node.source()));  // that of all files together
    read_prefixes("only-destinations", R"(["10.2.0.0/16", "fd00:2::/32"])", node, [&](const Prefix& prefix, Position) {
        draft_.configuration.only_destinations.push_back(prefix);
    });
}

// Inside of which pairs that is can only be told when all of them are there.
void GatewayTable::read_exclude(const toml::node& node) {
    read_prefixes("exclude", R"(["10.1.0.1", "10.1.0.16/28"])", node,
                  [&](const Prefix& prefix, Position at) { draft_.exclude(prefix, at); });
}

void GatewayTable::read_except(const toml::node& node) {
    const std::string legal = R"(: legal is an array such as [{ external = "198.51.100.2", tcp = 8443 }])";
    each_in(node, "except", legal, [&](const toml::node& element) {
        if (const toml::table* table = element.as_table()) {
            ExceptionTable(number_, draft_).read(*table);
        } else {
            draft_.error(place(element.source()), fmt::format("an exception is {}{}", what_came(element), legal));
        }
    });
}

void GatewayTable::read_external_interfaces(const toml::node& node) {
    const std::string legal = ": legal is an array of names such as [\"wan0\", \"ppp*\"]";
    std::vector<std::string>& interfaces = draft_.configuration.external_interfaces;
    each_in(node, "external-interfaces", legal, [&](const toml::node& element) {
        const Position at = place(element.source());
        const auto name = element.value<std::string>();
        const auto is_covered_by = [&](const std::string& known) { return interface_covers(known, *name); };
        if (!name) {
            draft_.error(at, "an external interface is " + what_came(element) + legal);
        } else if (const auto objection = objection_to_interface(*name)) {
            draft_.error(at, what_came(element) + ": " + *objection + legal);
        } else if (std::none_of(interfaces.begin(), interfaces.end(), is_covered_by)) {
            std::erase_if(interfaces, [&](const std::string& known) { return interface_covers(*name, known); });
            interfaces.push_back(*name);
        }
    });
    if (interfaces.size() > most_external_interfaces) {
        draft_.error(place(node.source()),
                     fmt::format("external-interfaces has {} names: legal are up to {}, of which one such as \"ppp*\" "
                                 "stands for all that begin so",
                                 interfaces.size(), most_external_interfaces));
    }
    refuse_many_beside_interfaces(place(node.source()));
}

void GatewayTable::refuse_many_beside_interfaces(Position at) {
    if (!draft_.configuration.external_interfaces.empty()) {
        draft_.refuse_many_exempt("external-interfaces", at);
    }
}

void GatewayTable::read_ruleset_file(const toml::node& node) {
    const auto path = node.value<std::string>();
    if (path && fs::path(*path).is_absolute() && fs::path(*path).has_filename()) {
        draft_.configuration.ruleset_file = *path;
        draft_.set("ruleset-file", what_came(node), place(node.source()));
    } else {
        draft_.error(place(node.source()),
                     fmt::format(R"(ruleset-file is {}: legal is the absolute name of a file, such as )"
                                 R"("/run/statnat/ruleset.nft")",
                                 what_came(node)));
    }
}

void GatewayTable::read_neighbours(const toml::node& node) {
    if (const auto wanted = read_switch("neighbours", node)) {
        draft_.configuration.neighbours = *wanted;
        keep_to_one_instance("neighbours", *wanted, place(node.source()));
    }
}

void GatewayTable::read_announce(const toml::node& node) {
    if (const auto wanted = read_switch("announce", node)) {
        draft_.configuration.announce = *wanted;
        keep_to_one_instance("announce", *wanted, place(node.source()));
    }
}

void GatewayTable::read_fail_closed(const toml::node& node) {
    if (const auto wanted = read_switch("fail-closed", node)) {
        draft_.configuration.fail_closed = *wanted;
        keep_to_one_instance("fail-closed", *wanted, place(node.source()));
    }
}

void GatewayTable::read_fast_path(const toml::node& node) {
    if (const auto wanted = read_switch("fast-path", node)) {
        draft_.configuration.fast_path = *wanted;
    }
}

void GatewayTable::keep_to_one_instance(std::string_view key, bool wanted, Position at) {
    if (wanted) {
        draft_.configuration.not_for_instance = {
            draft_.file(at.file), at.line, at.column,
            fmt::format("{} = true in an instance that has a name: legal is it in the one without, statnat.toml", key)};
    }
}

void GatewayTable::read_mark(const toml::node& node) {
    const auto mark = node.is_integer() ? node.value<std::uint32_t>() : std::nullopt;
    if (mark && std::has_single_bit(*mark)) {
        draft_.configuration.mark = *mark;
        draft_.set("mark", fmt::format("{:#010x}", *mark), place(node.source()));
    } else {
        draft_.error(place(node.source()), fmt::format("mark is {}: legal is one bit of 32, such as {:#010x}",
                                                       what_came(node), default_mark));
    }
}

void GatewayTable::read_vrf(const toml::node& node) {
    const auto name = node.value<std::string>();
    if (name && !objection_to_interface(*name) && !name->ends_with('*')) {
        draft_.configuration.vrf = Vrf{.name = *name};
        draft_.set("vrf", what_came(node), place(node.source()));
    } else {
        draft_.error(place(node.source()),
                     fmt::format("vrf is {}: legal is the name of a VRF device, such as \"red\"", what_came(node)));
    }
}

// One address, or a list with one of each family.
void GatewayTable::read_icmp_error_source(const toml::node& node) {
    if (const toml::array* list = node.as_array()) {
        for (const toml::node& element : *list) {
            read_icmp_error_source_of_family(element);
        }
    } else {
        read_icmp_error_source_of_family(node);
    }
}

void GatewayTable::read_icmp_error_source_of_family(const toml::node& node) {
    const auto text = node.value<std::string_view>();
    const auto address = text ? Address::parse(*text) : std::nullopt;
    if (!address || unusable(Prefix::host(*address))) {
        draft_.error(place(node.source()),
                     fmt::format("icmp-error-source is {}: legal is the address of one host, such as "
                                 "\"198.51.100.1\", or a list with one of each family",
                                 what_came(node)));
        return;
    }
    auto& all = draft_.configuration.icmp_error_sources;
    if (std::find(all.begin(), all.end(), *address) == all.end()) {
        all.push_back(*address);
    }
    draft_.set(error_source_of(address->family), what_came(node), place(node.source()));
}

void GatewayTable::find_pairs_files(const toml::node& node) {
    const std::string legal = ": legal is an array of file names and patterns such as [\"pairs.d/*.csv\"]";
    each_in(node, "pairs-files", legal, [&](const toml::node& element) {
        const auto pattern = element.value<std::string>();
        if (!pattern) {
            draft_.error(place(element.source()), "a pairs file is " + what_came(element) + legal);
            return;
        }
        try {
            const auto paths = matching_files(draft_.file(number_).parent_path(), *pattern);
            if (paths.empty()) {
                draft_.error(place(element.source()),
                             fmt::format("{} matches no file: legal is what matches at least one", what_came(element)));
            }
            for (const fs::path& path : paths) {
                draft_.add_pairs_file(path);
            }
        } catch (const std::system_error& failure) {
            draft_.error(place(element.source()),
                         fmt::format("{} cannot be looked up: {}", what_came(element), failure.code().message()));
        }
    });
}

std::optional<bool> GatewayTable::read_switch(std::string_view key, const toml::node& node) {
    const auto value = switch_of(node);
    if (value) {
        draft_.set(key, *value ? "true" : "false", place(node.source()));
    } else {
        draft_.error(place(node.source()), not_a_switch(key, node));
    }
    return value;
}

}  // namespace statnat
