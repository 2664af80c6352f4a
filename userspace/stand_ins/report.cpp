// SPDX-License-Identifier: GPL-2.0-or-later
// A report is
//   NAME:LINE:FIRST-LAST: Error: MESSAGE
//   the line
//           ^^^^
// without a place where the text came from the command line, and without the line where there is none to show.
#include "stand_ins/report.hpp"

#include "stand_ins/restoring_stream.hpp"
#include "statement/statement_text.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <optional>
#include <tuple>
#include <utility>

namespace statnat {

struct Quotation {
    std::string_view name;
    Span span;
    bool placed;  // whether name and span are there to be read
    std::string_view text;

    bool is_heading() const { return text.starts_with("Error: ") || text.starts_with("Warning: "); }
};

namespace {

struct Shown {
    std::string_view gap;  // the end of a message that ends in an empty line
    std::string_view line;
    std::string_view carets;
};

std::string_view take_line(std::string_view& text) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    return line;
}

// Takes a number off the end of `text`, and the character before it.
std::optional<std::size_t> take_number(std::string_view& text, char before) {
    const std::size_t begin = text.find_last_not_of("0123456789") + 1;
    std::size_t number = 0;
    const auto [end, error] = std::from_chars(text.data() + begin, text.data() + text.size(), number);
    if (error != std::errc{} || begin == 0 || text[begin - 1] != before) {
        return {};
    }
    text = text.substr(0, begin - 1);
    return number;
}

// What comes after NAME:LINE:FIRST-LAST: in `line`, or all of it.
Quotation quotation_in(std::string_view line) {
    for (std::size_t at = line.find(": "); at != std::string_view::npos; at = line.find(": ", at + 1)) {
        std::string_view place = line.substr(0, at);
        const auto last = take_number(place, '-');
        const auto first = last ? take_number(place, ':') : std::nullopt;
        const auto number = first ? take_number(place, ':') : std::nullopt;
        if (number) {
            return {place, {*number, *first, *last}, true, line.substr(at + 2)};
        }
    }
    return {command_line_name, {1, 0, 0}, false, line};
}

// The line of the document that comes after a heading, and what is below it; takes them from `text`.
std::optional<Shown> take_shown(std::string_view& text, const Document* document, std::size_t number) {
    std::string_view rest = text;
    Shown shown;
    if (rest.starts_with("\n")) {
        shown.gap = rest.substr(0, 1);
        rest.remove_prefix(1);
    }
    shown.line = take_line(rest);
    shown.carets = take_line(rest);
    if (!document || shown.line.empty() || !document->text.line(number).starts_with(shown.line)) {
        return {};
    }
    text = rest;
    return shown;
}

// Marks the span below a line, beside the marks that are there already.
std::string with_carets(std::string marks, std::string_view line, const Span& span) {
    for (std::size_t column = marks.size() + 1; column <= span.last; ++column) {
        marks += column <= line.size() && line[column - 1] == '\t' ? '\t' : ' ';
    }
    std::fill(marks.begin() + static_cast<std::ptrdiff_t>(span.first - 1),
              marks.begin() + static_cast<std::ptrdiff_t>(span.last), '^');
    return marks;
}

// A number that strerror(3) has no word for; the message ends before it.
std::optional<int> take_error_number(std::string_view& message) {
    constexpr std::string_view unknown = "Unknown error ";
    const std::size_t at = message.rfind(unknown);
    if (at == std::string_view::npos) {
        return {};
    }
    const std::string_view digits = message.substr(at + unknown.size());
    int number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (error != std::errc{} || end != digits.data() + digits.size()) {
        return {};
    }
    message = message.substr(0, at);
    return number;
}

// libnftables places a stand-in at its first word; nothing if the span is not there.
std::optional<Span> whole_statement(const Document* document, const Span& span) {
    constexpr std::string_view first_word = "log";
    if (!document || span.last - span.first + 1 != first_word.size()) {
        return {};
    }
    const auto whole = std::lower_bound(document->spans.begin(), document->spans.end(), span,
                                        [](const Span& left, const Span& right) {
                                            return std::tie(left.line, left.first) < std::tie(right.line, right.first);
                                        });
    const bool found = whole != document->spans.end() && whole->line == span.line && whole->first == span.first;
    return found ? std::optional(*whole) : std::nullopt;
}

// Whether so many lines are there to their ends.
bool has_lines(std::string_view text, std::size_t count) {
    std::size_t end = 0;
    for (; count > 0 && end != std::string_view::npos; --count) {
        end = text.find('\n', end);
        end += end == std::string_view::npos ? 0 : 1;
    }
    return end != std::string_view::npos;
}

}  // namespace

Reports::Reports(const Documents& documents, const StandIns& stand_ins, const Rewriter& rewriter, Sink sink)
    : documents_(documents), stand_ins_(stand_ins), rewriter_(rewriter), sink_(std::move(sink)) {}

void Reports::write(std::string_view text) {
    held_.append(text);
    if (text.find('\n') != std::string_view::npos) {
        pass_on(false);
    }
}

void Reports::flush() {
    pass_on(true);
}

void Reports::end() {
    flush();
    told_of_module_ = false;
}

void Reports::pass_on(bool all) {
    std::string ready;
    std::string_view rest = held_;
    while (!rest.empty()) {
        std::string_view after = rest;
        const bool ends = has_lines(rest, 1);
        const std::string_view line = take_line(after);
        const Quotation quotation = quotation_in(line);
        if (!all && !(quotation.is_heading() ? is_whole(quotation, after) : ends)) {
            break;
        }
        ready += quotation.is_heading() ? report(quotation, after)
                                        : restored_line(quotation, line) + (ends ? "\n" : "");
        rest = after;
    }
    held_.erase(0, held_.size() - rest.size());
    if (!ready.empty()) {
        sink_(ready);
    }
}

// With one line at least, empty where there is none to show, since libnftables ends each report so.
bool Reports::is_whole(const Quotation& heading, std::string_view rest) const {
    const bool shows = find(heading.name) != nullptr;
    return has_lines(rest, !shows ? 1 : rest.starts_with("\n") ? 3 : 2);
}

// --optimize quotes the lines that it merges; all else is as in a listing.
std::string Reports::restored_line(const Quotation& quotation, std::string_view line) const {
    const Document* document = find(quotation.name);
    if (!document || quotation.text.empty() || quotation.text != document->text.line(quotation.span.line)) {
        return restored(line, stand_ins_);
    }
    return std::string(line.substr(0, line.size() - quotation.text.size()))
        .append(document->original.line(quotation.span.line));
}

// `rest` begins behind the heading; what belongs to the report is taken from it.
std::string Reports::report(Quotation heading, std::string_view& rest) {
    const Document* document = find(heading.name);
    const auto shown = take_shown(rest, document, heading.span.line);
    if (shown && !heading.placed) {
        heading.span.first = shown->carets.find('^') + 1;
        heading.span.last = shown->carets.rfind('^') + 1;
    }
    const Objection* objection = objection_in(heading.text);
    const auto statement = whole_statement(document, heading.span);
    const Span span = objection   ? Span{objection->line, objection->first, objection->last}
                      : statement ? *statement
                                  : heading.span;
    const auto message =
        objection ? "Error: " + objection->sentence : restored_message(heading.text, statement.has_value());
    if (!message) {
        if (!shown) {
            take_line(rest);
        }
        return {};
    }
    std::string text;
    if (heading.placed) {
        text = std::string(heading.name) + ":" + std::to_string(span.line) + ":" + std::to_string(span.first) +
               "-" + std::to_string(span.last) + ": ";
    }
    text.append(*message).append("\n");
    if (shown) {
        // libnftables cuts off long lines.
        const bool cut = shown->line.size() < document->text.line(heading.span.line).size();
        const std::string_view line = document->original.line(span.line);
        text.append(shown->gap).append(cut ? line.substr(0, shown->line.size()) : line).append("\n");
        text.append(span == heading.span ? std::string(shown->carets)
                    : objection          ? with_carets({}, line, span)
                                         : with_carets(std::string(shown->carets), line, span));
        text.append("\n");
    }
    return text;
}

const Document* Reports::find(std::string_view name) const {
    const auto found = documents_.find(name);
    return found != documents_.end() && found->second ? &*found->second : nullptr;
}

// Nothing where all is said already.
std::optional<std::string> Reports::restored_message(std::string_view message, bool about_statement) {
    std::string_view before = message;
    const auto number = take_error_number(before);
    if (const Complaint* complaint = number ? rewriter_.find(*number) : nullptr) {
        const bool module_missing = complaint->error == ENOENT;
        if (module_missing && std::exchange(told_of_module_, true)) {
            return {};
        }
        return std::string(before) + complaint->sentence();
    }
    constexpr std::string_view unexpected = "Error: syntax error, unexpected ";
    constexpr std::string_view unexpected_log = "Error: syntax error, unexpected log";
    if (about_statement && message.starts_with(unexpected_log)) {
        return std::string(unexpected).append(statement_keyword).append(message.substr(unexpected_log.size()));
    }
    return restored(message, stand_ins_);
}

// "unknown identifier 'NAME'", "Unknown statement object 'NAME'."
const Objection* Reports::objection_in(std::string_view message) const {
    const std::size_t quote = message.find('\'');
    if (quote == std::string_view::npos) {
        return nullptr;
    }
    const auto* content = stand_ins_.find(message.substr(quote + 1, StandIns::name_size));
    return content ? std::get_if<Objection>(content) : nullptr;
}

}  // namespace statnat
