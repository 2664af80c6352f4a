// SPDX-License-Identifier: GPL-2.0-or-later
#include "pairs_file.hpp"

#include "files.hpp"

#include <algorithm>

namespace statnat {
namespace {

namespace fs = std::filesystem;

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

// EXTERNAL, and behind a blank what becomes of it: "npt", or "plain" whatever the gateway says.
void read_external(std::string_view text, Entry& entry, Draft& draft) {
    const auto blank = static_cast<std::size_t>(std::find_if(text.begin(), text.end(), is_blank) - text.begin());
    const std::string_view word = trimmed(text.substr(blank));
    entry.npt_at = entry.external_at;
    entry.npt_at.column += static_cast<unsigned>(word.data() - text.data());
    entry.pair.external = draft.side(text.substr(0, blank), entry.external_at);
    if (word == "npt" || word == "plain") {
        entry.pair.npt = word == "npt";
    } else if (!word.empty()) {
        draft.error(entry.npt_at,
                    in_quotes(word) + " is neither npt nor plain: legal is one of them behind an external prefix");
    }
}

}  // namespace

void PairsFile::read(Draft& draft) {
    unsigned number = 1;
    const auto take = [&](std::string_view lines) { read_lines(lines, number, draft); };
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

// `number`: of the first of these lines.
void PairsFile::read_lines(std::string_view lines, unsigned& number, Draft& draft) const {
    constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
    if (number == 1 && lines.starts_with(byte_order_mark)) {
        lines.remove_prefix(byte_order_mark.size());
    }
    for (; !lines.empty(); ++number) {
        if (!draft.is_careful() && take_plain_line(lines, draft)) {
            continue;
        }
        const std::size_t end = std::min(lines.find('\n'), lines.size());
        read_line(lines.substr(0, end), number, draft);
        lines.remove_prefix(std::min(end + 1, lines.size()));
    }
}

// internal,external[ npt| plain][,comment] # what is not read
void PairsFile::read_line(std::string_view line, unsigned number, Draft& draft) const {
    const auto at = [&](std::string_view field) {
        return Place{number_, number, static_cast<unsigned>(field.data() - line.data()) + 1};
    };
    const std::string_view content = trimmed(line.substr(0, line.find('#')));
    if (content.empty()) {
        return;
    }
    const std::size_t first = content.find(',');
    if (first == std::string_view::npos) {
        draft.error(at(content), in_quotes(content) + " is not a pair: legal is internal,external[,comment]");
        return;
    }
    const std::size_t second = std::min(content.find(',', first + 1), content.size());
    const std::string_view internal = trimmed(content.substr(0, first));
    const std::string_view external = trimmed(content.substr(first + 1, second - first - 1));
    const std::string_view comment = trimmed(content.substr(std::min(second + 1, content.size())));

    Entry entry;
    entry.internal_at = at(internal);
    entry.external_at = at(external);
    entry.comment_at = at(comment);
    entry.pair.comment = comment;
    entry.pair.internal = draft.side(internal, entry.internal_at);
    read_external(external, entry, draft);
    draft.take(std::move(entry));
}

}  // namespace statnat
