// SPDX-License-Identifier: GPL-2.0-or-later
// Stand-ins: what libnftables handles in place of our statement, a log statement whose prefix is a name that only this
// process can have given.
#pragma once

#include "ruleset/ruleset.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

namespace statnat {

// Why a text that looks like our statement is none, and where: line and columns count from 1, the last one included.
struct Objection {
    std::string sentence;
    std::size_t line = 0;
    std::size_t first = 0;
    std::size_t last = 0;
    bool operator==(const Objection&) const = default;
};

// The expression of a rule that another version of the module made.
struct Unreadable {
    bool operator==(const Unreadable&) const = default;
};

using StandInContent = std::variant<SnatStateless, Objection, Unreadable>;

class StandIns {
public:
    // Of a name: a mark of 54 random bits, the same for all of this process, and a number. As names go through the
    // grammars of nft and JSON, they are words for both.
    static constexpr std::size_t mark_size = 10;
    static constexpr std::size_t name_size = mark_size + 3;

    StandIns();
    explicit StandIns(std::string mark);  // for tests

    // Equal contents have one name, so that equal rules stay equal.
    std::string name(const StandInContent& content);

    // Nothing for what is not a name of ours.
    const StandInContent* find(std::string_view name) const;

    // Whether `text` holds a name; a search at the speed of memmem(3).
    bool in(std::string_view text) const;

    // What every name begins with.
    std::string_view mark() const { return mark_; }

private:
    std::string mark_;
    std::vector<StandInContent> contents_;
    std::unordered_map<std::string, std::size_t> numbers_;
};

// What libnftables writes around a name.
struct Surroundings {
    std::string_view before;
    std::string_view after;
};

inline constexpr Surroundings in_text{"log prefix \"", "\""};
inline constexpr Surroundings in_json{"\"log\": {\"prefix\": \"", "\"}"};
inline constexpr Surroundings in_debug_output{"log prefix ", ""};
inline constexpr std::size_t longest_stand_in = in_json.before.size() + StandIns::name_size + in_json.after.size();

// `log prefix "NAME"`, and the same as the member of a JSON statement.
std::string stand_in_text(std::string_view name);
std::string stand_in_json(std::string_view name);

}  // namespace statnat
