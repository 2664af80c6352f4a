// SPDX-License-Identifier: GPL-2.0-or-later
// A configuration while it is read: its files, what they say of pairs, and what is wrong in them.
#pragma once

#include "config/configuration.hpp"
#include "pairs/objections.hpp"

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <unordered_set>
#include <utility>
#include <vector>

namespace statnat {

struct Position {
    unsigned file = 0;  // of the draft, or `in_source`
    unsigned line = 0;
    unsigned column = 0;

    auto operator<=>(const Position&) const = default;
};

// Behind all files; the line is the number of the key there.
inline constexpr unsigned in_source = static_cast<unsigned>(-1);

// By which name the setting is known, which each family may have.
inline std::string error_source_of(Family family) {
    return std::string("icmp-error-source of ") + std::string(name(family));
}

// A pair and where its parts were read.
struct Entry {
    Proposal pair;
    std::optional<InterfaceSide> follows{};  // where the external side is to come from
    Position internal_at;
    Position external_at;
    Position npt_at;
    Position comment_at;

    Position at(Side side) const { return side == Side::internal ? internal_at : external_at; }
};

class Draft {
public:
    Draft(std::vector<std::filesystem::path> toml_files, AskAddresses ask)
        : files_(std::move(toml_files)), ask_(std::move(ask)) {}

    // Files are counted in reading order, those of pairs behind all TOML; one that is known already, by whatever name,
    // is not added again.
    unsigned files() const { return static_cast<unsigned>(files_.size()); }
    const std::filesystem::path& file(unsigned number) const { return files_[number]; }
    void add_pairs_file(const std::filesystem::path& path);

    // Calls `read` with a file's path; that may throw std::system_error.
    template <typename Read>
    void read(unsigned number, Read read);

    // Forgets all but the files. Where it is `careful`, it keeps from now on where each pair stands.
    void start_over(bool careful);
    bool is_careful() const { return careful_; }

    void error(Position at, std::string sentence) { errors_.emplace_back(at, std::move(sentence)); }

    // Makes room for what comes from the source, whose keys get numbers; they must outlive the draft.
    void begin_source(std::string prefix) {
        source_prefix_ = std::move(prefix);
        source_keys_.clear();
    }
    Position add_source_key(std::string_view key) {
        source_keys_.push_back(key);
        return {in_source, static_cast<unsigned>(source_keys_.size()), 0};
    }
    bool has_errors() const { return !errors_.empty(); }

    // Where a setting was written first; it must have been.
    Position place_of(std::string_view key) const { return settings_.find(key)->second.at; }

    // A setting as it was written: several files may say the same of it, but nothing else.
    void set(std::string_view key, std::string value, Position at);

    // What is to be left alone inside of pairs; and once all of these are there and sorted, of which.
    void exclude(const Prefix& prefix, Position at) { excludes_.push_back({prefix, at, {}}); }
    void settle_excludes();

    // Once all pairs are there and sorted, whether each that is inbound has one beside it.
    void settle_inbound();

    // What a pair is not for; and once all pairs are there and sorted, whether there is one.
    void except(const Exception& exception, Position at) { excepts_.emplace_back(exception, at); }
    void settle_exceptions();

    // What settings of all files mean for each other.
    void settle();

    // Exempt destinations that are not to be had where a rule must compare them, which `why` says that it must.
    void refuse_many_exempt(std::string_view why, Position at);

    // One side of a pair; without a value it is an error.
    std::optional<Prefix> side(std::string_view text, Position at);
    // The external one, or where it comes from.
    void read_external(std::string_view text, Position at, Entry& entry);

    // Judges a pair, and takes it if it is one.
    void take(Entry entry);

    // The same for two hosts of which are_plain_hosts() says that nothing is wrong with them.
    void take_plain(const Address& internal, const Address& external) {
        configuration.pairs.push_back({Family::ipv4, 32}, internal, external);
    }

    // Whether anything is wrong, also with sorted pairs beside each other; only a careful draft can tell all of that.
    bool is_wrong() const { return !errors_.empty() || collide(configuration.pairs); }

    // What was read, or all that is wrong as InvalidConfiguration.
    Configuration finish();

    Configuration configuration;
    bool npt = false;  // wherever a pair can have it and does not say otherwise

private:
    struct Setting {
        std::string value;
        Position at;
    };

    struct Exclude {
        Prefix as_written;
        Position at;
        std::optional<Prefix> internal;
    };

    void settle_error_sources();
    void settle_destinations();
    void settle_vrf();
    void settle_conntrack();
    void settle_fast_path();
    void keep_from_native(Position at, std::string why);
    void look_up_external(Entry& entry);
    bool knows_all_pairs() const;
    void set_aside(const std::set<Prefix>& hosts);
    void judge(Entry& entry);
    void refuse_collisions();
    std::string mention(Position at) const;
    ConfigurationError error_at(Position at, std::string sentence) const;
    void throw_errors();

    std::vector<std::filesystem::path> files_;
    AskAddresses ask_;
    std::optional<std::vector<InterfaceAddress>> addresses_{};  // nothing: nobody needed them yet
    std::unordered_set<std::string> known_pairs_files_;  // by their real names
    bool careful_ = false;
    std::map<std::string, Setting, std::less<>> settings_;
    std::vector<Entry> entries_;
    std::vector<Exclude> excludes_;
    std::vector<std::pair<Exception, Position>> excepts_;
    std::string source_prefix_;
    std::vector<std::string_view> source_keys_;
    std::vector<std::pair<Position, std::string>> errors_;
};

template <typename Read>
void Draft::read(unsigned number, Read read) {
    try {
        read(files_[number]);
    } catch (const std::system_error& failure) {
        const bool is_to_begin = number == 0 && failure.code() == std::errc::no_such_file_or_directory;
        error({number, 0, 0}, "cannot be read: " + failure.code().message() +
                                  (is_to_begin ? ": statnat-nft init --output " + files_[number].string() +
                                                     " writes a first one"
                                               : ""));
    }
}

}  // namespace statnat
