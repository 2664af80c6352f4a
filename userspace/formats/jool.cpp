// SPDX-License-Identifier: GPL-2.0-or-later
#include "formats/jool.hpp"

#include "importers/lines.hpp"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace statnat {
namespace {

// A mapping has two prefixes, whatever stands between them.
std::vector<Prefix> prefixes_of(std::string_view line) {
    std::vector<Prefix> prefixes;
    while (!line.empty()) {
        constexpr std::string_view between = " \t|,;\"'{}[]";
        const std::size_t first = std::min(line.find_first_not_of(between), line.size());
        line.remove_prefix(first);
        const std::string_view word = line.substr(0, line.find_first_of(between));
        line.remove_prefix(word.size());
        if (const auto prefix = side_of(word)) {
            prefixes.push_back(*prefix);
        }
    }
    return prefixes;
}

}  // namespace

Reading read_jool_eam(std::string_view text) {
    Reading reading;
    std::map<Prefix, std::pair<Prefix, unsigned>> waiting;  // by the IPv6 prefix
    for_each_line(text, [&](unsigned number, std::string_view line) {
        auto prefixes = prefixes_of(line);
        std::sort(prefixes.begin(), prefixes.end());
        if (prefixes.size() != 2 || prefixes[0].address.family == prefixes[1].address.family) {
            return;
        }
        reading.recognized = true;
        const auto [known, is_new] = waiting.emplace(prefixes[1], std::pair(prefixes[0], number));
        if (!is_new) {
            Finding finding;
            finding.at.line = known->second.second;
            finding.internal = known->second.first;
            finding.external = prefixes[0];
            reading.findings.push_back(std::move(finding));
            waiting.erase(known);
        }
    });
    for (const auto& [ipv6, other] : waiting) {
        reading.leave({other.second}, fmt::format("{} is made IPv4, {}: a pair is of one family, so only two mappings "
                                                  "of one IPv6 prefix, of two translators, are one",
                                                  ipv6.short_text(), other.first.short_text()));
    }
    return reading;
}

}  // namespace statnat
