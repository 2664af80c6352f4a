// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/pairs_file.hpp"

#include "files.hpp"
#include "printable.hpp"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

namespace statnat {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view legal_record = "legal is internal,external[,comment]";
constexpr std::size_t shortest_line = std::string_view("1.0.0.1,1.0.0.2\n").size();

bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r';
}

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && is_blank(text.front())) {
        text.remove_prefix(1);
    }
    while (!text.empty() && is_blank(text.back())) {
        text.remove_suffix(1);
    }
    return text;
}

// "INTERNAL,EXTERNAL\n" of IPv4 hosts without anything to object to, which is what large files consist of.
bool take_plain_line(std::string_view& lines, Draft& draft) {
    if (!lines.ends_with('\n')) {
        return false;
    }
    const char* at = lines.data();
    Address internal;
    Address external;
    if (!internal.take_ipv4(at) || *at++ != ',' || !external.take_ipv4(at) || *at++ != '\n' ||
        !are_plain_hosts(internal, external)) {
        return false;
    }
    draft.take_plain(internal, external);
    lines.remove_prefix(static_cast<std::size_t>(at - lines.data()));
    return true;
}

bool is_empty(const CsvField& field) {
    return field.text.empty();
}

bool equals_in_any_case(std::string_view text, std::string_view small) {
    return std::equal(text.begin(), text.end(), small.begin(), small.end(), [](char a, char b) {
        return std::tolower(static_cast<unsigned char>(a)) == b;
    });
}

// What is not read, behind a # where only addresses can be.
void cut_remark(std::vector<CsvField>& fields, std::size_t columns) {
    for (std::size_t i = 0; i < std::min(columns, fields.size()); ++i) {
        const std::size_t mark = fields[i].quoted ? std::string::npos : fields[i].text.find('#');
        if (mark != std::string::npos) {
            fields[i].text = trimmed(fields[i].text.substr(0, mark));
            fields.resize(i + 1);
        }
    }
}

// Of a pair, by its word.
bool take_kind(std::string_view word, Entry& entry) {
    if (word == "inbound") {
        entry.pair.inbound = true;
    } else if (word == "npt" || word == "plain") {
        entry.pair.npt = word == "npt";
    } else {
        return false;
    }
    return true;
}

}  // namespace

void PairsFile::read(Draft& draft) {
    line_number_ = 1;
    at_first_record_ = true;
    columns_ = {};
    const auto take = [&](std::string_view lines) { read_lines(lines, draft); };
    draft.read(number_, [&](const fs::path& path) {
        std::error_code ignored;
        if (!text_ && fs::is_regular_file(path, ignored)) {
            draft.configuration.pairs.expect(fs::file_size(path, ignored) / shortest_line);
            statnat::read_lines(path, take);
            return;
        }
        if (!text_) {
            text_ = read_file(path);
        }
        take(*text_);
    });
}

void PairsFile::read_lines(std::string_view lines, Draft& draft) {
    constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
    if (line_number_ == 1 && lines.starts_with(byte_order_mark)) {
        lines.remove_prefix(byte_order_mark.size());
    }
    for (; !lines.empty(); ++line_number_) {
        if (!draft.is_careful() && columns_.begin_with_both() && take_plain_line(lines, draft)) {
            at_first_record_ = false;
            continue;
        }
        const std::size_t end = std::min(lines.find('\n'), lines.size());
        read_line(lines.substr(0, end), draft);
        lines.remove_prefix(std::min(end + 1, lines.size()));
    }
}

void PairsFile::read_line(std::string_view line, Draft& draft) {
    while (!line.empty() && is_blank(line.back())) {
        line.remove_suffix(1);
    }
    const std::size_t begin = line.find_first_not_of(" \t\r");
    if (begin == std::string_view::npos || line[begin] == '#') {
        return;
    }
    auto fields = csv_.split(line);
    if (!fields) {
        at_first_record_ = false;
        draft.error(at(line.find('"')),
                    "a quotation mark that is not where one can be: legal is a field wholly in quotation marks, on one "
                    "line, with two for each one inside");
        return;
    }
    // Rows that a spreadsheet leaves empty, and a remark that it has put into quotation marks.
    if (std::all_of(fields->begin(), fields->end(), is_empty) || fields->front().text.starts_with('#')) {
        return;
    }
    const auto named = std::exchange(at_first_record_, false) ? header(*fields) : std::nullopt;
    if (named) {
        columns_ = *named;
        return;
    }
    cut_remark(*fields, columns_.named ? std::max(columns_.internal, columns_.external) + 1 : columns_.comment);
    read_record(*fields, line, draft);
}

// Of a line that names the internal and the external column at least; what it names besides is not read.
std::optional<PairsFile::Columns> PairsFile::header(const Fields& fields) {
    Columns columns{Columns::none, Columns::none, Columns::none, Columns::none, fields.size(), true};
    for (std::size_t i = 0; i < fields.size(); ++i) {
        for (const auto& [name, column] : {std::pair("internal", &columns.internal), {"external", &columns.external},
                                           {"comment", &columns.comment}, {"npt", &columns.npt}}) {
            if (equals_in_any_case(fields[i].text, name) && *column == Columns::none) {
                *column = i;
            }
        }
    }
    const bool has_both = columns.internal != Columns::none && columns.external != Columns::none;
    return has_both ? std::optional(columns) : std::nullopt;
}

void PairsFile::read_record(const Fields& fields, std::string_view line, Draft& draft) {
    if (fields.size() <= std::max(columns_.internal, columns_.external)) {
        const std::string_view record = fields.size() == 1 ? fields.front().text : line.substr(fields.front().offset);
        draft.error(at(fields.front().offset),
                    fmt::format("{} is not a pair: {}", in_quotes(record),
                                columns_.named ? "legal is what the first line names" : legal_record));
        return;
    }
    Entry entry;
    const CsvField& internal = fields[columns_.internal];
    entry.internal_at = at(internal.offset);
    entry.pair.internal = draft.side(internal.text, entry.internal_at);
    read_external(fields[columns_.external], entry, draft);
    read_comment(fields, line, entry, draft);
    if (columns_.npt < fields.size()) {
        read_npt(fields[columns_.npt], entry, draft);
    }
    draft.take(std::move(entry));
}

// EXTERNAL, and behind a blank of which kind it is: "npt", "plain" whatever the gateway says, or "inbound".
void PairsFile::read_external(const CsvField& field, Entry& entry, Draft& draft) const {
    const std::string_view text = field.text;
    std::size_t blank = text.find_first_of(" \t\r");
    if (blank != std::string_view::npos && text.substr(blank).starts_with(" of ")) {  // "address of wan0"
        blank = text.find_first_of(" \t\r", blank + std::string_view(" of ").size());
    }
    blank = std::min(blank, text.size());
    const std::string_view word = trimmed(text.substr(blank));
    entry.npt_at = at(field.offset + static_cast<std::size_t>(word.data() - text.data()));
    draft.read_external(text.substr(0, blank), at(field.offset), entry);
    if (!word.empty() && !take_kind(word, entry)) {
        draft.error(entry.npt_at, fmt::format("{} is neither npt, plain nor inbound: legal is one of them behind an "
                                              "external side",
                                              in_quotes(word)));
    }
}

// Where no field is in quotation marks, all that stands behind the external is the comment, with its commas.
void PairsFile::read_comment(const Fields& fields, std::string_view line, Entry& entry, Draft& draft) const {
    const std::size_t first = columns_.comment;
    if (first < fields.size()) {
        entry.comment_at = at(fields[first].offset);
        entry.pair.comment = fields[first].text;
    }
    const auto behind = fields.begin() + static_cast<std::ptrdiff_t>(std::min(columns_.count, fields.size()));
    const auto further = std::find_if_not(behind, fields.end(), is_empty);
    if (further == fields.end()) {
        return;
    }
    const auto is_quoted = [](const CsvField& field) { return field.quoted; };
    if (columns_.named || std::any_of(fields.begin() + 2, fields.end(), is_quoted)) {
        draft.error(at(further->offset),
                    fmt::format("{} is one field too many: legal is a comment with commas in quotation marks",
                                in_quotes(further->text)));
        return;
    }
    std::string_view rest = line.substr(fields[first].offset);
    while (rest.ends_with(',') || (!rest.empty() && is_blank(rest.back()))) {
        rest.remove_suffix(1);
    }
    entry.pair.comment = rest;
}

// Beside such a column nothing is left to the gateway, which is how `list --csv` means it.
void PairsFile::read_npt(const CsvField& field, Entry& entry, Draft& draft) const {
    if (!entry.pair.npt || !field.text.empty()) {
        entry.npt_at = at(field.offset);
        entry.pair.npt = false;
    }
    if (!field.text.empty() && !take_kind(field.text, entry)) {
        draft.error(entry.npt_at, fmt::format("{} is neither npt, plain nor inbound: legal is one of them, or nothing",
                                              in_quotes(field.text)));
    }
}

}  // namespace statnat
