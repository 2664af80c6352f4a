// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/configuration_text.hpp"

#include "printable.hpp"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace statnat {

// A JSON string is a basic string of TOML.
std::string settings_as_toml(const Configuration& configuration, std::string_view pairs_file) {
    std::string destinations;
    for (const Prefix& prefix : configuration.exempt_destinations) {
        destinations += fmt::format("{}\"{}\"", destinations.empty() ? "" : ", ", prefix.text());
    }
    const auto quoted = [](const Prefix& prefix) { return quoted_json(prefix.short_text()); };
    std::string toml =
        fmt::format("[gateway]\nengine = \"{}\"\ncounters = \"{}\"\nexempt-destinations = [{}]\npairs-files = [{}]\n",
                    word_of(configuration.engine, engine_words), word_of(configuration.counters, counters_words),
                    destinations, quoted_json(pairs_file));
    if (!configuration.only_destinations.empty()) {
        toml += fmt::format("only-destinations = {}\n", list_in_json(configuration.only_destinations, quoted));
    }
    if (!configuration.external_interfaces.empty()) {
        const auto name = [](const std::string& one) { return quoted_json(one); };
        toml += fmt::format("external-interfaces = {}\n", list_in_json(configuration.external_interfaces, name));
    }
    if (!configuration.pairs.excluded().empty()) {
        toml += fmt::format("exclude = {}\n", list_in_json(configuration.pairs.excluded(), quoted));
    }
    std::string exceptions;
    for (const Exception& one : configuration.exceptions) {
        std::string service = one.service();
        service.replace(service.find(' '), 1, " = ");
        exceptions += fmt::format("{}{{ {} = \"{}\", {} }}", exceptions.empty() ? "" : ", ",
                                  one.side == Side::external ? "external" : "internal", one.address.text(), service);
    }
    if (!exceptions.empty()) {
        toml += fmt::format("except = [{}]\n", exceptions);
    }
    if (configuration.ruleset_file) {
        toml += fmt::format("ruleset-file = {}\n", quoted_json(configuration.ruleset_file->string()));
    }
    if (configuration.neighbours) {
        toml += fmt::format("neighbours = {}\n", *configuration.neighbours);
    }
    if (configuration.announce) {
        toml += "announce = true\n";
    }
    if (configuration.vrf) {
        const auto& [name, mark, ports] = *configuration.vrf;
        toml += fmt::format("vrf = {}\nmark = {:#010x}\n", quoted_json(name), mark);
    }
    if (configuration.conntrack == Conntrack::follow) {
        toml += fmt::format("conntrack = \"{}\"\n", word_of(configuration.conntrack, conntrack_words));
    }
    if (configuration.fast_path) {
        toml += "fast-path = true\n";
    }
    if (!configuration.icmp_error_sources.empty()) {
        const auto text = [](const Address& address) { return quoted_json(address.text()); };
        toml += fmt::format("icmp-error-source = {}\n", list_in_json(configuration.icmp_error_sources, text));
    }
    if (configuration.fail_closed) {
        toml += fmt::format("fail-closed = true\nmark = {:#010x}\n", configuration.mark);
    }
    return toml;
}

namespace {

constexpr const char* csv_titles = "internal,external,comment,npt\n";

void append_csv(std::string& csv, const Prefix& internal, const std::string& external, const Comment& comment,
                std::string_view kind) {
    fmt::format_to(std::back_inserter(csv), "{},{},{},{}\n", internal.short_text(), external,
                   quoted_csv(comment.text()), kind);
}

}  // namespace

std::string pairs_as_csv(const Pairs& pairs) {
    std::string csv = csv_titles;
    for (const Pair& pair : pairs) {
        append_csv(csv, pair.internal, pair.external.short_text(), pair.comment, pair.kind());
    }
    return csv;
}

std::string pairs_as_csv(const Configuration& configuration) {
    std::string csv = csv_titles;
    std::set<std::pair<Prefix, Prefix>> followers;
    for (const auto& [pair, side, why_waits] : configuration.interface_pairs) {
        const bool npt = pair.npt.value_or(false);
        append_csv(csv, *pair.internal, side.text(), pair.comment, npt ? "npt" : pair.inbound ? "inbound" : "");
        if (pair.external) {
            followers.emplace(*pair.internal, *pair.external);
        }
    }
    const auto append = [&](const Pair& pair) {
        if (followers.empty() || !followers.contains({pair.internal, pair.external})) {
            append_csv(csv, pair.internal, pair.external.short_text(), pair.comment, pair.kind());
        }
    };
    for (const Pair& pair : configuration.pairs) {
        append(pair);
    }
    std::for_each(configuration.waiting_inbound.begin(), configuration.waiting_inbound.end(), append);
    return csv;
}

std::string pairs_as_toml(const Pairs& pairs) {
    std::string toml = "[pairs]\n";
    const auto quoted = [](const Prefix& prefix) { return fmt::format("\"{}\"", prefix.short_text()); };
    for (PairIterator next = pairs.begin(); next != pairs.end();) {
        const Pair pair = *next;
        std::vector<Prefix> externals;
        for (; next != pairs.end() && (*next).internal == pair.internal; ++next) {
            externals.push_back((*next).external);
        }
        const std::string more = (pair.npt ? ", npt = true" : "") +
                                 (pair.comment.empty() ? "" : ", comment = " + quoted_json(pair.comment.text()));
        const std::string external = externals.size() == 1 ? quoted(pair.external) : list_in_json(externals, quoted);
        fmt::format_to(std::back_inserter(toml), "{} = {}\n", quoted(pair.internal),
                       more.empty() ? external : fmt::format("{{ external = {}{} }}", external, more));
    }
    return toml;
}

std::string quoted_csv(std::string_view text) {
    const bool has_blanks = text.starts_with(' ') || text.ends_with(' ');  // which readers of CSV strip
    if (text.find_first_of(",\"\r\n") == std::string_view::npos && !has_blanks) {
        return std::string(text);
    }
    std::string quoted = "\"";
    for (const char character : text) {
        quoted += character;
        if (character == '"') {
            quoted += '"';
        }
    }
    return quoted + "\"";
}

}  // namespace statnat
