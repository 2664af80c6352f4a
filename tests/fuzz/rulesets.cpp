// SPDX-License-Identifier: GPL-2.0-or-later
// What a configuration becomes says all that the configuration did: to `list --csv`, to the file of the last state, and
// to the next sync, which finds nothing to do. Any bytes in that file, behind a zero byte here, are right or ignored.
#include "config/configuration_files.hpp"
#include "records/state_file.hpp"
#include "reports/listing.hpp"
#include "ruleset/inventory.hpp"
#include "ruleset/layout.hpp"
#include "ruleset/plan.hpp"

#include "folder.hpp"

#include <cstdint>
#include <utility>

using namespace statnat;

namespace {

constexpr std::uint32_t generation = 7;

void expect_same(const Ruleset& desired, const Ruleset& actual) {
    demand(plan(desired, actual).empty() && plan(actual, desired).empty());
}

// What is excluded from pairs has no line there.
void check_csv(const Folder& folder, Configuration configuration, const Ruleset& ruleset, Engine engine) {
    folder.write("pairs.csv", as_csv(counted_pairs(ruleset)));
    const fs::path file = folder.write("again.toml", "[gateway]\npairs-files = [\"pairs.csv\"]\n");
    Pairs pairs = read_configuration(file).pairs;
    for (const Prefix& excluded : configuration.pairs.excluded()) {
        pairs.exclude(excluded);
    }
    configuration.pairs = std::move(pairs);
    expect_same(layout(configuration, engine), ruleset);
}

void check_state(const Folder& folder, const Ruleset& ruleset) {
    const StateFile file({folder.path(), 4711, "boot"});
    file.keep(generation, ruleset);
    const auto contents = file.recall(generation);
    demand(contents.has_value() != ruleset.empty() && !file.recall(generation + 1));
    Ruleset remembered = ruleset;
    for (Table& table : remembered) {
        for (Map& map : table.maps) {
            map.elements = contents->at({table.family, map.name});
        }
    }
    expect_same(ruleset, remembered);
}

void check(const Folder& folder, const Configuration& configuration, Engine engine) {
    const Ruleset ruleset = layout(configuration, engine);
    demand(plan(ruleset, ruleset).empty());
    expect_same(layout(inventory(ruleset).configuration(), engine), ruleset);
    check_csv(folder, configuration, ruleset, engine);
    check_state(folder, ruleset);
}

void recall_any(const Folder& folder, std::string_view bytes) {
    const StateFile file({folder.path(), 4711, "boot"});
    file.keep(generation, {Table{}});
    std::ofstream(folder.path() / "netns-4711", std::ios::binary | std::ios::app) << bytes;
    file.recall(generation);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const Folder folder;
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    const std::string_view text = input.substr(0, input.find('\0'));
    if (text.size() < size) {
        recall_any(folder, input.substr(text.size() + 1));
    }
    if (!stays_in_folder(text) || text.find("pairs-files") != std::string_view::npos) {
        return -1;
    }
    try {
        const Configuration configuration = read_configuration(folder.write("statnat.toml", text));
        for (const Engine engine : {Engine::expression, Engine::native}) {
            if (engine != Engine::native || !configuration.not_for_native) {
                check(folder, configuration, engine);
            }
        }
    } catch (const InvalidConfiguration&) {
        return -1;
    }
    return 0;
}
