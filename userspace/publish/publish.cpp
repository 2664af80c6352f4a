// SPDX-License-Identifier: GPL-2.0-or-later
#include "publish/publish.hpp"

#include "commands/desired.hpp"
#include "config/configuration_files.hpp"
#include "error.hpp"
#include "pairs/objections.hpp"
#include "publish/writer.hpp"
#include "quantity.hpp"

#include <array>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace statnat {
namespace {

Writer writer_of(const PublishOptions& options) {
    const auto source = read_here(options.configuration).source;
    if (!source) {
        throw CannotGoOn{fmt::format("{} names no source to publish to: legal is a table such as [source] with "
                                     "etcd = [\"https://10.0.0.1:2379\"]",
                                     options.configuration.string()),
                         exit_usage};
    }
    return Writer(*source);
}

Prefix parse_side(const std::string& text) {
    if (const auto prefix = Prefix::parse(text)) {
        return *prefix;
    }
    throw CannotGoOn{not_a_side(text), exit_usage};
}

int tell(const Published& done, std::ostream& out) {
    std::vector<std::string> parts;
    for (const auto& [verb, number] :
         {std::pair("added", done.added), {"removed", done.removed}, {"changed", done.changed}}) {
        if (number != 0) {
            parts.push_back(fmt::format("{} {}", verb, quantity(number, "pair")));
        }
    }
    out << (parts.empty() ? "nothing to change" : fmt::format("{}", fmt::join(parts, ", "))) << '\n';
    return exit_done;
}

}  // namespace

int publish_add(const std::string& internal, const std::string& external, const PublishOptions& options,
                std::ostream& out) {
    Proposal pair{parse_side(internal), parse_side(external), options.npt, Comment(options.comment), options.inbound};
    pair.settle(false);
    return tell(writer_of(options).add(pair), out);
}

int publish_del(const std::string& side, const PublishOptions& options, std::ostream& out) {
    return tell(writer_of(options).del(parse_side(side)), out);
}

int publish_file(const std::filesystem::path& file, const PublishOptions& options, std::ostream& out) {
    const Pairs pairs = read_pairs(file);
    return tell(writer_of(options).replace(pairs, options.force), out);
}

}  // namespace statnat
