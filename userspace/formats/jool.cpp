// SPDX-License-Identifier: GPL-2.0-or-later
#include "formats/jool.hpp"

#include "importers/lines.hpp"
#include "printable.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace statnat {
namespace {

class Jool {
public:
    Reading read(std::string_view text);

private:
    void read_line(unsigned number, std::string_view line);
    void take(unsigned number, Prefix one, Prefix other);

    Reading reading_;
    std::map<Prefix, std::pair<Prefix, unsigned>> waiting_;  // by the IPv6 prefix
    std::vector<std::pair<Prefix, unsigned>> begun_;  // in JSON, a mapping of which one side is known
};

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

// By what is neither a mapping nor for others to read, such as a route: the rest of what Jool translates.
bool translates_otherwise(std::string_view line) {
    static constexpr std::array<std::string_view, 7> names{"pool6", "pool4", "rfc6791", "denylist4", "blacklist4",
                                                           "bib add", "instance add -6"};
    return std::any_of(names.begin(), names.end(), [&](std::string_view name) {
        return line.find(name) != std::string_view::npos;
    });
}

void Jool::take(unsigned number, Prefix one, Prefix other) {
    if (other < one) {
        std::swap(one, other);
    }
    if (one.address.family == other.address.family) {
        return;
    }
    reading_.recognized = true;
    const auto [known, is_new] = waiting_.emplace(other, std::pair(one, number));
    if (!is_new) {
        Finding finding;
        finding.at.line = known->second.second;
        finding.internal = known->second.first;
        finding.external = one;
        reading_.findings.push_back(std::move(finding));
        waiting_.erase(known);
    }
}

void Jool::read_line(unsigned number, std::string_view line) {
    const auto prefixes = prefixes_of(line);
    const bool is_side = line.find("\"ipv6 prefix\"") != std::string_view::npos ||
                         line.find("\"ipv4 prefix\"") != std::string_view::npos;
    if (line.find('}') != std::string_view::npos) {
        begun_.clear();
    }
    if (prefixes.size() == 2) {
        take(number, prefixes[0], prefixes[1]);
    } else if (!prefixes.empty() && translates_otherwise(line)) {
        reading_.recognized = true;
        reading_.leave({number},
                       fmt::format("{} is no mapping of two prefixes, and no pair", in_quotes(trimmed(line))));
    } else if (prefixes.size() == 1 && is_side) {
        begun_.emplace_back(prefixes[0], number);
        if (begun_.size() == 2) {
            take(begun_[0].second, begun_[0].first, begun_[1].first);
            begun_.clear();
        }
    }
}

Reading Jool::read(std::string_view text) {
    for_each_joined_line(text, [&](unsigned number, std::string_view line) { read_line(number, line); });
    for (const auto& [ipv6, other] : waiting_) {
        reading_.leave({other.second}, fmt::format("{} is made IPv4, {}: a pair is of one family, so only two mappings "
                                                   "of one IPv6 prefix, of two translators, are one",
                                                   ipv6.short_text(), other.first.short_text()));
    }
    return std::move(reading_);
}

}  // namespace

Reading read_jool_eam(std::string_view text) {
    return Jool().read(text);
}

}  // namespace statnat
