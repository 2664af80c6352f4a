// SPDX-License-Identifier: GPL-2.0-or-later
#include "fence/fence.hpp"

#include "names.hpp"
#include "pairs/overlaps.hpp"
#include "pairs/ranges.hpp"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

namespace statnat {
namespace {

// Nobody is behind a hole of a shorter pair, unless a pair of that length or longer has it.
std::vector<Range> ranges_of(const Pairs& pairs, Side side, Family family, const Holes& all_holes) {
    std::vector<Range> all;
    for (auto one = pairs.tiers().rbegin(); one != pairs.tiers().rend(); ++one) {
        const auto& [tier, halves] = *one;
        if (tier.family != family) {
            continue;
        }
        if (const auto left_over = all_holes.find(tier); left_over != all_holes.end()) {
            all = without(merged(std::move(all)), left_over->second);
        }
        const Elements& keys = halves.by(side);
        for (std::size_t i = 0; i < keys.size(); ++i) {
            all.push_back(Range::of({keys.key(i), tier.length}));
        }
    }
    return merged(std::move(all));
}

std::vector<Prefix> destinations(const Pairs& pairs, Family family) {
    return cover(ranges_of(pairs, Side::external, family, holes(pairs)));
}

std::vector<Range> ranges_of(const std::vector<Prefix>& prefixes) {
    std::vector<Range> ranges;
    for (const Prefix& prefix : prefixes) {
        ranges.push_back(Range::of(prefix));
    }
    return merged(std::move(ranges));
}

std::vector<Prefix> fewest(const std::vector<Prefix>& prefixes) {
    return cover(ranges_of(prefixes));
}

// Each widened to no more than that length.
std::vector<Prefix> widened(const std::vector<Prefix>& prefixes, std::uint8_t length) {
    std::vector<Prefix> wide;
    for (const Prefix& prefix : prefixes) {
        const Prefix wider = Prefix::of(prefix.address, std::min(prefix.length, length));
        if (wide.empty() || !wide.back().covers(wider)) {
            wide.push_back(wider);
        }
    }
    return wide;
}

std::vector<Prefix> sources(const Pairs& pairs, Family family) {
    Holes excluded;
    for (const Prefix& prefix : pairs.excluded()) {
        excluded[{prefix.address.family, prefix.length, false}].push_back(prefix);
    }
    std::vector<Prefix> all = cover(ranges_of(pairs, Side::internal, family, excluded));
    for (std::uint8_t length = full_length(family); all.size() > most_sources; --length) {
        all = fewest(widened(all, length));
    }
    return all;
}

std::vector<Prefix> exempt(std::vector<Prefix> destinations, Family family) {
    std::erase_if(destinations, [&](const Prefix& prefix) { return prefix.address.family != family; });
    return fewest(destinations);
}

std::vector<Prefix> sources_of(const Fence& fence) {
    std::vector<Prefix> sources;
    for (const PolicyRule& rule : fence.rules) {
        if (rule.station == Station::outbound) {
            sources.push_back(*rule.prefix);
        }
    }
    return sources;
}

// Whether nothing of it is left out.
bool cover_all(const std::vector<Range>& ranges, const Prefix& prefix) {
    return within(ranges, prefix) == std::vector<Range>{Range::of(prefix)};
}

void add_family(Family family, const Configuration& configuration, Fence& fence) {
    const auto add = [&](Station station, const std::vector<Prefix>& prefixes) {
        for (const Prefix& prefix : prefixes) {
            fence.rules.insert({family, station, 0, prefix});
        }
    };
    fence.rules.insert({{family, Station::pass}, {family, Station::pass, configuration.mark},
                        {family, Station::inbound}, {family, Station::end}});
    add(Station::exempt, exempt(configuration.exempt_destinations, family));
    add(Station::outbound, sources(configuration.pairs, family));
    fence.asks_with_marks = fence.asks_with_marks || family == Family::ipv4;
    const std::vector<Prefix> routes = destinations(configuration.pairs, family);
    fence.routes.insert(routes.begin(), routes.end());
}

template <class Part>
std::set<Part> difference(const std::set<Part>& one, const std::set<Part>& other) {
    std::set<Part> left;
    std::set_difference(one.begin(), one.end(), other.begin(), other.end(), std::inserter(left, left.end()));
    return left;
}

}  // namespace

std::string PolicyRule::text() const {
    const std::string of = prefix ? prefix->short_text() : "all";
    const std::string end = fmt::format("goto {}", static_cast<int>(Station::end));
    const auto what = [&]() -> std::string {
        switch (station) {
        case Station::pass:
            return mark == 0 ? "from all iif lo " + end : fmt::format("from all fwmark {0:#x}/{0:#x} {1}", mark, end);
        case Station::inbound: return "from all lookup 83";
        case Station::exempt: return fmt::format("from all to {} {}", of, end);
        case Station::outbound: return fmt::format("from {} blackhole", of);
        case Station::end: break;
        }
        return "from all nop";
    };
    return fmt::format("{}policy rule {}: {}", family == Family::ipv4 ? "" : "IPv6 ", static_cast<int>(station),
                       what());
}

std::string Filter::text() const {
    return fmt::format("filter on {0}: drop fwmark {1:#x}/{1:#x}", interface, mark);
}

Fence fence(const Configuration& configuration, const std::vector<std::string>& interfaces) {
    Fence fence;
    for (const Family family : families) {
        const auto& tiers = configuration.pairs.tiers();
        const bool has_pairs = std::any_of(tiers.begin(), tiers.end(),
                                           [&](const auto& one) { return one.first.family == family; });
        if (configuration.fail_closed && has_pairs) {
            add_family(family, configuration, fence);
        }
    }
    for (const std::string& interface : interfaces) {
        const bool is_external = std::any_of(
            configuration.external_interfaces.begin(), configuration.external_interfaces.end(),
            [&](const std::string& pattern) { return interface_covers(pattern, interface); });
        if (is_external && !fence.empty()) {
            fence.filters.insert({interface, configuration.mark});
        }
    }
    return fence;
}

std::vector<std::string> lines(const Fence& fence) {
    std::vector<std::string> lines;
    for (const PolicyRule& rule : fence.rules) {
        lines.push_back(rule.text());
    }
    for (const Prefix& prefix : fence.routes) {
        lines.push_back(fmt::format("route to {} in table 83", prefix.short_text()));
    }
    if (fence.asks_with_marks) {
        lines.emplace_back("setting net.ipv4.conf.all.src_valid_mark = 1");
    }
    for (const Filter& filter : fence.filters) {
        lines.push_back(filter.text());
    }
    return lines;
}

std::vector<std::string> changes(const Fence& wanted, const Fence& there) {
    std::vector<std::string> sentences;
    const auto add = [&](const char* sign, const Fence& of) {
        for (const std::string& line : lines(of)) {
            sentences.push_back(sign + line);
        }
    };
    add("+ ", without(wanted, there));
    Fence gone = without(there, wanted);
    gone.asks_with_marks = false;
    add("- ", gone);
    return sentences;
}

std::vector<std::string> breaches(const Fence& wanted, const Fence& there) {
    Fence missing = without(wanted, there);
    const std::vector<Range> sources = ranges_of(sources_of(there));
    const std::vector<Range> routes = ranges_of({there.routes.begin(), there.routes.end()});
    std::erase_if(missing.rules, [&](const PolicyRule& rule) {
        return rule.station == Station::outbound && cover_all(sources, *rule.prefix);
    });
    std::erase_if(missing.routes, [&](const Prefix& route) { return cover_all(routes, route); });
    return changes(missing, wanted.empty() ? there : Fence{});
}

Fence joined(const Fence& one, const Fence& other) {
    Fence both = one;
    both.filters.insert(other.filters.begin(), other.filters.end());
    both.rules.insert(other.rules.begin(), other.rules.end());
    both.routes.insert(other.routes.begin(), other.routes.end());
    both.asks_with_marks = one.asks_with_marks || other.asks_with_marks;
    const std::vector<Prefix> sources = fewest(sources_of(both));
    std::erase_if(both.rules, [](const PolicyRule& rule) { return rule.station == Station::outbound; });
    for (const Prefix& source : sources) {
        both.rules.insert({source.address.family, Station::outbound, 0, source});
    }
    const std::vector<Prefix> routes = fewest({both.routes.begin(), both.routes.end()});
    both.routes = {routes.begin(), routes.end()};
    return both;
}

Fence without(const Fence& one, const Fence& other) {
    return {difference(one.filters, other.filters), difference(one.rules, other.rules),
            difference(one.routes, other.routes),
            one.asks_with_marks && !other.asks_with_marks};
}

}  // namespace statnat
