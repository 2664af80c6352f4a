// SPDX-License-Identifier: GPL-2.0-or-later
// One pass over the text, past comments and quoted strings, from statement to statement.
#include "stand_ins/document.hpp"

#include "statement/nft_words.hpp"
#include "statement/statement_json.hpp"
#include "statement/statement_text.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace statnat {

namespace {

// Everything that the two grammars have in common.
class Substitution {
public:
    Substitution(std::string_view original, StandIns& stand_ins) : stand_ins_(stand_ins), original_(original) {
        text_.reserve(original.size() + 64);
    }

    StandIns& stand_ins() { return stand_ins_; }
    std::string_view original() const { return original_; }

    // Line and column of a place at or after the last one asked for.
    std::pair<std::size_t, std::size_t> place(std::size_t at) {
        for (std::size_t end = original().find('\n', line_begin_); end < at; end = original().find('\n', line_begin_)) {
            ++line_;
            line_begin_ = end + 1;
        }
        return {line_, at - line_begin_ + 1};
    }

    void replace(std::size_t begin, std::size_t end, std::string_view by) {
        text_.append(original_.substr(copied_, begin - copied_)).append(by);
        copied_ = end;
    }

    void cover(const Span& span) { spans_.push_back(span); }

    std::optional<Document> finish() {
        if (copied_ == 0) {
            return {};
        }
        text_.append(original_.substr(copied_));
        return Document{Lines(std::string(original_)), Lines(std::move(text_)), std::move(spans_)};
    }

private:
    StandIns& stand_ins_;
    std::string_view original_;
    std::string text_;
    std::vector<Span> spans_;
    std::size_t copied_ = 0;
    std::size_t line_ = 1;
    std::size_t line_begin_ = 0;
};

// The stand-in in the first of the statement's lines, and nothing in those that backslashes join to it. Only a first
// line that breaks off early can be too short for it; then nothing that counts comes after it on that line.
std::string laid_out(std::string_view statement, std::string stand_in) {
    const std::size_t first_line = std::min(statement.find("\\\n"), statement.size());
    stand_in.append(first_line - std::min(first_line, stand_in.size()), ' ');
    for (std::size_t at = first_line; at < statement.size(); ++at) {
        const bool joint = statement.substr(at, 2) == "\\\n" || statement[at] == '\n';
        stand_in += joint ? statement[at] : ' ';
    }
    return stand_in;
}

void put_statement(Substitution& substitution, std::size_t at, const SnatStateless& statement, std::size_t size) {
    const std::string_view written = substitution.original().substr(at, size);
    const auto [line, column] = substitution.place(at);
    substitution.cover({line, column, column + std::min(written.find("\\\n"), size) - 1});
    substitution.replace(at, at + size, laid_out(written, stand_in_text(substitution.stand_ins().name(statement))));
}

// A variable that nobody has defined: libnftables says so, right here, and the name tells what is really wrong.
void put_objection(Substitution& substitution, std::size_t at, const Misfit& misfit) {
    const Span span{substitution.place(at).first, substitution.place(at).second,
                    substitution.place(at).second + statement_keyword.size() - 1};
    const auto [line, column] = substitution.place(at + misfit.begin);
    substitution.cover(span);
    substitution.replace(
        at, at + statement_keyword.size(),
        "$" + substitution.stand_ins().name(
                  Objection{misfit.sentence, line, column, column + misfit.end - misfit.begin - 1}));
}

std::size_t find_keyword(std::string_view text, std::size_t from) {
    const std::string_view rest = text.substr(from);
    const void* found = ::memmem(rest.data(), rest.size(), statement_keyword.data(), statement_keyword.size());
    return found ? static_cast<std::size_t>(static_cast<const char*>(found) - text.data()) : std::string_view::npos;
}

bool is_word_of_its_own(std::string_view text, std::size_t at) {
    const std::size_t end = at + statement_keyword.size();
    const bool begins = at == 0 || (!is_word_character(text[at - 1]) && text[at - 1] != '@' && text[at - 1] != '$');
    const bool ends = end == text.size() || (!is_word_character(text[end]) && text[end] != '*');
    return begins && ends;
}

// Where the scan goes on after the statement at `at`, or after the word that is none.
std::size_t pass_keyword(Substitution& substitution, std::size_t at) {
    const std::string_view rest = substitution.original().substr(at);
    const std::size_t end = at + statement_keyword.size();
    const auto reading = is_word_of_its_own(substitution.original(), at) ? read_statement(rest) : std::nullopt;
    if (!reading) {
        return end;
    }
    if (const auto* misfit = std::get_if<Misfit>(&reading->result)) {
        put_objection(substitution, at, *misfit);
        return end;
    }
    put_statement(substitution, at, std::get<SnatStateless>(reading->result), reading->end);
    return at + reading->end;
}

std::size_t past(std::string_view text, char end, std::size_t at) {
    return std::min(text.find(end, at), text.size() - 1) + 1;
}

// A million elements hold none of what this looks for, so it is looked for at the speed of memchr(3).
void scan_text(Substitution& substitution) {
    const std::string_view text = substitution.original();
    std::size_t comment = text.find('#');
    std::size_t quote = text.find('"');
    std::size_t keyword = find_keyword(text, 0);
    while (keyword < text.size()) {
        const std::size_t begin = std::min({comment, quote, keyword});
        const std::size_t end = begin == keyword   ? pass_keyword(substitution, keyword)
                                : begin == comment ? past(text, '\n', comment)
                                                   : past(text, '"', quote + 1);
        comment = comment < end ? text.find('#', end) : comment;
        quote = quote < end ? text.find('"', end) : quote;
        keyword = keyword < end ? find_keyword(text, end) : keyword;
    }
}

// Past the string that begins at `at`.
std::size_t past_json_string(std::string_view text, std::size_t at) {
    for (++at; at < text.size() && text[at] != '"'; ++at) {
        at += text[at] == '\\' ? 1 : 0;
    }
    return std::min(at + 1, text.size());
}

std::size_t past_json_blanks(std::string_view text, std::size_t at) {
    return std::min(text.find_first_not_of(" \t\r\n", at), text.size());
}

// Past the object that begins at `at`.
std::size_t past_json_object(std::string_view text, std::size_t at) {
    std::size_t depth = 0;
    while (at < text.size()) {
        if (text[at] == '"') {
            at = past_json_string(text, at);
            continue;
        }
        depth += text[at] == '{' ? 1 : 0;
        depth -= text[at] == '}' ? 1 : 0;
        ++at;
        if (depth == 0) {
            break;
        }
    }
    return at;
}

// A key that libnftables does not know: it says so, and the name tells what is really wrong.
std::string json_stand_in(StandIns& stand_ins, std::string_view object, std::size_t line) {
    const auto reading = read_statement_json(object);
    if (const auto* statement = std::get_if<SnatStateless>(&reading)) {
        return stand_in_json(stand_ins.name(*statement));
    }
    return "\"" + stand_ins.name(Objection{std::get<std::string>(reading), line, 1, 1}) + "\": {}";
}

void scan_json(Substitution& substitution) {
    const std::string key = "\"" + std::string(statement_keyword) + "\"";
    const std::string_view text = substitution.original();
    for (std::size_t at = text.find('"'); at < text.size(); at = text.find('"', at)) {
        const std::size_t begin = at;
        at = past_json_string(text, at);
        if (text.substr(begin, at - begin) != key) {
            continue;
        }
        const std::size_t colon = past_json_blanks(text, at);
        const std::size_t object = past_json_blanks(text, colon + 1);
        if (text.substr(colon, 1) != ":" || text.substr(object, 1) != "{") {
            continue;
        }
        at = past_json_object(text, object);
        std::string by = json_stand_in(substitution.stand_ins(), text.substr(object, at - object),
                                       substitution.place(begin).first);
        by.append(static_cast<std::size_t>(std::count(text.begin() + static_cast<std::ptrdiff_t>(begin),
                                                      text.begin() + static_cast<std::ptrdiff_t>(at), '\n')),
                  '\n');
        substitution.replace(begin, at, by);
    }
}

}  // namespace

std::optional<Document> with_stand_ins(std::string_view original, StandIns& stand_ins) {
    if (find_keyword(original, 0) == std::string_view::npos) {
        return {};
    }
    Substitution substitution(original, stand_ins);
    // No nft text begins with a brace.
    const std::size_t begin = past_json_blanks(original, 0);
    if (original.substr(begin, 1) == "{") {
        scan_json(substitution);
    } else {
        scan_text(substitution);
    }
    return substitution.finish();
}

std::string_view Lines::line(std::size_t number) const {
    if (begins_.empty()) {
        begins_.push_back(0);
        for (std::size_t end = whole_.find('\n'); end != std::string::npos; end = whole_.find('\n', end + 1)) {
            begins_.push_back(end + 1);
        }
    }
    if (number == 0 || number > begins_.size()) {
        return {};
    }
    const std::string_view rest = std::string_view(whole_).substr(begins_[number - 1]);
    return rest.substr(0, rest.find('\n'));
}

}  // namespace statnat
