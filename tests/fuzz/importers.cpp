// SPDX-License-Identifier: GPL-2.0-or-later
// Any text, as each format in turn.
#include "config/configuration_text.hpp"
#include "formats/formats.hpp"
#include "importers/joining.hpp"
#include "pairs/objections.hpp"
#include "pairs/overlaps.hpp"
#include "pairs/pairs.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

using namespace statnat;

namespace {

void demand(bool condition) {
    if (!condition) {
        std::abort();
    }
}

// What is taken is what a configuration may say, and nothing in it contradicts.
void check_pairs(const std::vector<Pair>& pairs) {
    std::vector<Candidate> candidates;
    for (const Pair& pair : pairs) {
        demand(objections(Proposal{pair.internal, pair.external, pair.npt, pair.comment}).empty());
        candidates.push_back({pair.internal, pair.external, pair.npt});
    }
    demand(overlaps(candidates).collisions.empty());
    demand(Pairs(pairs).size() == pairs.size());
    demand(pairs.empty() || !pairs_as_toml(Pairs(pairs)).empty());
}

void check(const Format& format, std::string_view text, std::size_t lines) {
    try {
        const Reading reading = format.read(text);
        demand(reading.recognized || reading.findings.empty());
        const Joined joined = join(reading, "file");
        check_pairs(joined.pairs);
        for (const Leftover& leftover : joined.leftovers) {
            demand(!leftover.sentence.empty() && leftover.at.line <= lines);
        }
        // Each half or whole that was found became of a pair, or is named.
        demand(!joined.pairs.empty() || !joined.leftovers.empty() || reading.findings.empty());
    } catch (const NotOfThisFormat& why) {
        demand(!why.sentence.empty() && why.line <= lines);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) + 1;
    for (const Format& format : all_formats()) {
        check(format, text, lines);
    }
    return 0;
}
