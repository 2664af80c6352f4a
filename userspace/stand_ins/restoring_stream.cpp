// SPDX-License-Identifier: GPL-2.0-or-later
// A stand-in is known by its mark, and whole when all is there that libnftables writes around it.
#include "stand_ins/restoring_stream.hpp"

#include "statement/statement_json.hpp"

#include <algorithm>
#include <utility>
#include <variant>

namespace statnat {

namespace {

struct InText {
    std::string operator()(const SnatStateless& statement) const { return text(statement, Family::ipv4); }
    std::string operator()(const Objection&) const { return "snat_stateless"; }
    // Does not load: better than a rule that is missing without a word.
    std::string operator()(const Unreadable&) const { return "snat_stateless of-another-version map @unknown"; }
};

struct InJson {
    std::string operator()(const SnatStateless& statement) const { return statement_json(statement); }
    std::string operator()(const Objection&) const { return "{}"; }
    std::string operator()(const Unreadable&) const { return "null"; }
};

std::string as_text(const StandInContent& content) {
    return std::visit(InText{}, content);
}

std::string as_json(const StandInContent& content) {
    return "\"snat_stateless\": " + std::visit(InJson{}, content);
}

struct Form {
    Surroundings surroundings;
    std::string (*restored)(const StandInContent& content);
};

// The ways in which libnftables writes the statement.
constexpr Form forms[] = {{in_text, as_text}, {in_json, as_json}, {in_debug_output, as_text}};
constexpr Surroundings bare{"", ""};

std::string_view taken(std::string_view& text, std::size_t size) {
    const std::string_view front = text.substr(0, size);
    text.remove_prefix(front.size());
    return front;
}

// Whether `text`, to its end, is the beginning of a stand-in and not all of it.
bool begins_stand_in(std::string_view text, std::string_view mark, const Surroundings& around) {
    if (text.size() >= around.before.size() + StandIns::name_size + around.after.size()) {
        return false;
    }
    const std::string_view before = taken(text, around.before.size());
    const std::string_view beginning_of_name = taken(text, mark.size());
    taken(text, StandIns::name_size - mark.size());  // of any number
    return around.before.starts_with(before) && mark.starts_with(beginning_of_name) && around.after.starts_with(text);
}

}  // namespace

RestoringStream::RestoringStream(const StandIns& stand_ins, Sink sink)
    : stand_ins_(stand_ins), sink_(std::move(sink)) {}

void RestoringStream::write(std::string_view text) {
    held_.append(text);
    pass_on(false);
}

void RestoringStream::flush() {
    pass_on(true);
}

void RestoringStream::pass_on(bool all) {
    std::string ready;
    std::size_t done = 0;
    while (const auto place = next_place(done, all)) {
        ready.append(held_, done, place->begin - done).append(place->by);
        done = place->end;
    }
    const std::size_t end = all ? held_.size() : open_end(done);
    ready.append(held_, done, end - done);
    held_.erase(0, end);
    if (!ready.empty()) {
        sink_(ready);
    }
}

// The next stand-in of which it is clear how it stands there; nothing where that is for what comes to say.
std::optional<RestoringStream::Restoration> RestoringStream::next_place(std::size_t from, bool all) {
    const std::size_t at = held_.find(stand_ins_.mark(), from);
    if (at == std::string::npos) {
        return {};
    }
    const std::string_view before = std::string_view(held_).substr(from, at - from);
    const std::string_view name = std::string_view(held_).substr(at, StandIns::name_size);
    const std::string_view after = std::string_view(held_).substr(at + name.size());
    const StandInContent* content = stand_ins_.find(name);
    for (const auto& [around, restored] : forms) {
        if (!before.ends_with(around.before)) {
            continue;
        }
        if (content && after.starts_with(around.after)) {
            return Restoration{at - around.before.size(), at + name.size() + around.after.size(), restored(*content)};
        }
        if (!all && around.after.starts_with(after)) {
            return {};
        }
    }
    if (!all && name.size() < StandIns::name_size) {
        return {};
    }
    missed_one_ = missed_one_ || content;
    return Restoration{at, at + name.size(), std::string(name)};
}

// Where the longest end begins that may be the beginning of a stand-in.
std::size_t RestoringStream::open_end(std::size_t from) const {
    const std::string_view text = held_;
    const auto is_open = [&](std::size_t at) {
        const auto begins = [&](const Surroundings& around) {
            return begins_stand_in(text.substr(at), stand_ins_.mark(), around);
        };
        return begins(bare) || std::any_of(std::begin(forms), std::end(forms),
                                           [&](const Form& form) { return begins(form.surroundings); });
    };
    std::size_t at = std::max(from, text.size() - std::min(text.size(), longest_stand_in));
    while (at < text.size() && !is_open(at)) {
        ++at;
    }
    return at;
}

std::string restored(std::string_view text, const StandIns& stand_ins) {
    std::string result;
    RestoringStream stream(stand_ins, [&](std::string_view part) { result += part; });
    stream.write(text);
    stream.flush();
    return result;
}

}  // namespace statnat
