// SPDX-License-Identifier: GPL-2.0-or-later
// Reads the TOML files and the files of pairs that they name, and judges all of it before it gives up. Where something
// is wrong, all of it is read once more, now with a note of where each pair stands.
#include "config/configuration_files.hpp"

#include "config/draft.hpp"
#include "config/pairs_file.hpp"
#include "config/source_table.hpp"
#include "config/toml_file.hpp"
#include "files.hpp"

#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace statnat {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view main_name = "statnat.toml";
constexpr std::string_view main_directory = "conf.d";

// conf.d of statnat.toml, NAME.d of NAME.toml.
fs::path drop_in_directory(const fs::path& file) {
    const std::string name = file.stem().string() + ".d";
    return file.parent_path() / (file.filename() == main_name ? std::string(main_directory) : name);
}

// In the order of their names; none where there is no directory of them.
std::vector<fs::path> drop_ins_of(const fs::path& file) {
    const fs::path directory = drop_in_directory(file);
    try {
        if (file.extension() != ".toml" || !fs::exists(fs::symlink_status(directory))) {
            return {};
        }
        (void)fs::directory_iterator(directory);  // throws where a pattern would merely match nothing
        return matching_files(directory, "*.toml");
    } catch (const std::system_error& failure) {
        throw InvalidConfiguration{{{directory, 0, 0,
                                     "cannot be read: " + failure.code().message() +
                                         ": legal is a directory of further files, or none"}}};
    }
}

class Reader {
public:
    Reader(std::vector<fs::path> toml_files, const Outside& outside);

    void add_pairs_file(const fs::path& path) { draft_.add_pairs_file(path); }
    Configuration read();

private:
    void read_everything();
    void ask_source();

    Draft draft_;
    AskSource ask_source_;
    std::shared_ptr<const SourceSnapshot> from_source_{};  // null: nobody was asked yet
    std::vector<TomlFile> toml_files_;
    std::vector<PairsFile> pairs_files_;
};

Reader::Reader(std::vector<fs::path> toml_files, const Outside& outside)
    : draft_(std::move(toml_files), outside.addresses), ask_source_(outside.source) {
    for (unsigned number = 0; number < draft_.files(); ++number) {
        toml_files_.emplace_back(number, draft_);
    }
}

Configuration Reader::read() {
    read_everything();
    if (draft_.is_wrong()) {
        draft_.start_over(true);
        read_everything();
    }
    return draft_.finish();
}

void Reader::read_everything() {
    for (TomlFile& file : toml_files_) {
        file.read_settings();
    }
    draft_.settle();
    settle_source(draft_);
    for (TomlFile& file : toml_files_) {
        file.read_pairs();
    }
    while (toml_files_.size() + pairs_files_.size() < draft_.files()) {
        pairs_files_.emplace_back(toml_files_.size() + pairs_files_.size());
    }
    for (PairsFile& file : pairs_files_) {
        file.read(draft_);
    }
    ask_source();
    if (from_source_) {
        take_from_source(from_source_, draft_);
    }
    draft_.configuration.pairs.sort();
    draft_.settle_inbound();
    draft_.settle_excludes();
    draft_.settle_exceptions();
}

// Not where it can be told from files that something is wrong.
void Reader::ask_source() {
    if (!from_source_ && ask_source_ && draft_.configuration.source && !draft_.has_errors()) {
        from_source_ = ask_source_(*draft_.configuration.source);
    }
}

}  // namespace

Configuration read_configuration(const fs::path& file, DropIns drop_ins, const Outside& outside) {
    std::vector<fs::path> files{file};
    if (drop_ins == DropIns::read) {
        for (fs::path& path : drop_ins_of(file)) {
            files.push_back(std::move(path));
        }
    }
    return Reader(std::move(files), outside).read();
}

Pairs read_pairs(const fs::path& file) {
    if (file.extension() != ".csv") {
        Configuration configuration = read_configuration(file);
        const auto refuse = [&](std::string sentence) {
            throw InvalidConfiguration{{{file, 0, 0, std::move(sentence)}}};
        };
        if (!configuration.interface_pairs.empty()) {
            refuse("has the pair of " + configuration.interface_pairs.front().pair.internal->short_text() +
                   " that follows an interface: legal are pairs whose external side stands there, since each gateway "
                   "has interfaces of its own");
        }
        if (!configuration.pairs.excluded().empty()) {
            refuse("excludes " + configuration.pairs.excluded().front().short_text() +
                   ": legal is exclude in the configuration of each gateway, since it is no pair");
        }
        return std::move(configuration.pairs);
    }
    Reader reader({}, {});
    reader.add_pairs_file(file);
    return reader.read().pairs;
}

Pairs pairs_of(const SourceSnapshot& snapshot, const Source& source) {
    const auto shared = std::make_shared<const SourceSnapshot>(snapshot);
    Draft draft({}, {});
    const auto read = [&] {
        draft.configuration.source.emplace().prefix = source.prefix;
        take_from_source(shared, draft);
        draft.configuration.pairs.sort();
        draft.settle_inbound();
    };
    read();
    if (draft.is_wrong()) {
        draft.start_over(true);
        read();
    }
    return draft.finish().pairs;
}

}  // namespace statnat
