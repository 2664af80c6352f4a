// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/render.hpp"

#include "error.hpp"
#include "files.hpp"
#include "reports/ruleset_text.hpp"

#include <filesystem>
#include <string>
#include <system_error>

namespace statnat {

namespace {

std::string text_of(const Ruleset& ruleset, const Instance& instance) {
    return "# Written by statnat-nft, and again with each sync: changes belong into its configuration.\n" +
           as_file(ruleset, instance.table());
}

// What is in /run has to be made anew after a boot.
void put(const Path& path, const Ruleset& ruleset, const Instance& instance) {
    std::error_code ignored;
    std::filesystem::create_directories(path.parent_path(), ignored);
    put_text(path, text_of(ruleset, instance));
}

}  // namespace

void put_ruleset_file(const Configuration& configuration, const Ruleset& ruleset, const Instance& instance) {
    if (configuration.ruleset_file) {
        put(*configuration.ruleset_file, ruleset, instance);
    }
}

int render(Kernel& kernel, const Path& file, const RenderOptions& options, Progress& progress, std::ostream& out) {
    const Desired desired =
        options.last_good ? read_desired_or_last_good(file, progress, WithoutSource::last_good)
                          : read_desired(file, progress);
    const Configuration& configuration = desired.configuration;
    const Loadable loaded = loadable(kernel, options.engine.value_or(configuration.engine), configuration, {});
    const Ruleset ruleset = loaded.ruleset();
    if (const auto& path = options.output ? options.output : configuration.ruleset_file) {
        put(*path, ruleset, kernel.instance());
    } else {
        out << text_of(ruleset, kernel.instance());
    }
    warn_of_losses(loaded);
    return desired.status_beside(loaded.status());
}

}  // namespace statnat
