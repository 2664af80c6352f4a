// SPDX-License-Identifier: GPL-2.0-or-later
// Any text from a user, and any text from libnftables, such as its errors about it.
#include "document.hpp"
#include "report.hpp"
#include "rewrite.hpp"
#include "statement_json.hpp"
#include "statement_text.hpp"

#include <algorithm>
#include <cstdlib>

using namespace statnat;

namespace {

constexpr const char* mark = "SABCDEFGHI";

void demand(bool condition) {
    if (!condition) {
        std::abort();
    }
}

std::size_t lines(std::string_view text) {
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

// What was read is written such that it is read again.
void check_statement(std::string_view text_at_keyword) {
    const auto reading = read_statement(text_at_keyword);
    if (!reading) {
        return;
    }
    demand(reading->end <= text_at_keyword.size() || std::holds_alternative<Misfit>(reading->result));
    const auto* statement = std::get_if<SnatStateless>(&reading->result);
    if (!statement) {
        const auto& misfit = std::get<Misfit>(reading->result);
        demand(misfit.begin < misfit.end && misfit.begin <= text_at_keyword.size());
        return;
    }
    const auto again = read_statement(text(*statement, Family::ipv4));
    demand(again && std::get<SnatStateless>(again->result) == *statement);
    const auto from_json = read_statement_json(statement_json(*statement));
    demand(std::get<SnatStateless>(from_json) == *statement);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    StandIns stand_ins(mark);
    std::deque<Document> documents;
    for (std::size_t at = input.find(statement_keyword); at != std::string_view::npos;
         at = input.find(statement_keyword, at + 1)) {
        check_statement(input.substr(at));
    }
    if (auto document = with_stand_ins("name", input, stand_ins)) {
        demand(document->original == input);
        demand(lines(document->text) == lines(input));
        demand(document->text != input);
        documents.push_back(std::move(*document));
        const Document& made = documents.front();
        for (const Span& span : made.spans) {
            demand(span.first >= 1 && span.first <= span.last && span.last <= line_of(input, span.line).size());
        }
        // Our own names are in it, unless the input held them.
        demand(stand_ins.in(made.text));
        stand_ins.restored(made.text);
    }
    const Rewriter rewriter(stand_ins);
    in_terms_of_the_user(input, documents, stand_ins, rewriter);
    stand_ins.restored(input);
    return 0;
}
