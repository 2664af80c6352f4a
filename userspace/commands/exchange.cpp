// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/exchange.hpp"

#include "commands/engine.hpp"
#include "config/configuration_text.hpp"
#include "error.hpp"
#include "files.hpp"
#include "importers/joining.hpp"
#include "printable.hpp"
#include "quantity.hpp"
#include "reports/listing.hpp"
#include "reports/ruleset_text.hpp"
#include "ruleset/layout.hpp"

#include <iostream>
#include <string>
#include <system_error>
#include <vector>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace statnat {
namespace {

std::string read_text(const Path& file, Progress& progress) {
    const Progress::Step step(progress, "reading " + file.string());
    try {
        return read_input(file);
    } catch (const std::system_error& failure) {
        throw CannotGoOn{fmt::format("{} cannot be read: {}", file.string(), failure.code().message()), exit_usage};
    }
}

Reading read(const Format& format, const Path& file, const std::string& text) {
    try {
        Reading reading = format.read(text);
        if (!reading.recognized) {
            throw NotOfThisFormat{0, fmt::format("nothing in it is {}: legal is {}", format.name, format.what)};
        }
        return reading;
    } catch (const NotOfThisFormat& why) {
        throw CannotGoOn{fmt::format("{}: {}", Place{why.line}.text(file.string()), why.sentence), exit_usage};
    }
}

std::vector<CountedPair> uncounted(const Pairs& pairs) {
    std::vector<CountedPair> all;
    for (const Pair& pair : pairs) {
        all.push_back({pair, std::nullopt, std::nullopt});
    }
    return all;
}

std::string as_stock_nft(const Configuration& configuration, const Instance& instance) {
    refuse_contradiction(Engine::native, configuration);
    return "# Pairs of statnat-nft in statements that any nft loads, in place of what is in these tables.\n" +
           as_file(layout(configuration, Engine::native), instance.table());
}

}  // namespace

int import_pairs(const Format& format, const Path& file, PairsAs form, Progress& progress, std::ostream& out) {
    const Joined joined = join(read(format, file, read_text(file, progress)), file.string());
    for (const Leftover& leftover : joined.leftovers) {
        std::cerr << printable(fmt::format("{}: {}", leftover.at.text(file.string()), leftover.sentence)) << '\n';
    }
    for (const std::string& note : joined.notes) {
        spdlog::warn("{}", printable(note));
    }
    const Pairs pairs(joined.pairs);
    if (form == PairsAs::csv) {
        out << pairs_as_csv(pairs);
    } else {
        out << fmt::format("# {} by statnat-nft from {}.\n", quantity(pairs.size(), "pair"), format.name)
            << pairs_as_toml(pairs);
    }
    return joined.leftovers.empty() ? exit_done : exit_refused;
}

int export_pairs(std::string_view form, const Path& file, const Instance& instance, Progress& progress,
                 std::ostream& out) {
    if (form != "nft-native" && form != "csv" && form != "json") {
        throw CannotGoOn{fmt::format("--to must be nft-native, csv or json, not {}", in_quotes(form)), exit_usage};
    }
    const Configuration configuration = read_desired(file, progress).configuration;
    out << (form == "csv"    ? as_csv(uncounted(configuration.pairs))
            : form == "json" ? as_json(uncounted(configuration.pairs))
                             : as_stock_nft(configuration, instance));
    return exit_done;
}

}  // namespace statnat
