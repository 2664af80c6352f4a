// SPDX-License-Identifier: GPL-2.0-or-later
// Any text from a user, and any text from libnftables, such as its errors about it.
#include "stand_ins/document.hpp"
#include "stand_ins/report.hpp"
#include "stand_ins/restoring_stream.hpp"
#include "stand_ins/rewrite.hpp"
#include "statement/statement_json.hpp"
#include "statement/statement_text.hpp"

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

template <typename Stream>
void write_in_pieces(Stream& stream, std::string_view input, std::size_t size) {
    for (std::size_t at = 0; at < input.size(); at += size) {
        stream.write(input.substr(at, size));
    }
    stream.flush();
}

std::string restored_in_pieces(std::string_view input, std::size_t size, const StandIns& stand_ins) {
    std::string result;
    RestoringStream stream(stand_ins, [&](std::string_view text) { result += text; });
    write_in_pieces(stream, input, size);
    return result;
}

std::string reported_in_pieces(std::string_view input, std::size_t size, const Documents& documents,
                               const StandIns& stand_ins, const Rewriter& rewriter) {
    std::string result;
    Reports reports(documents, stand_ins, rewriter, [&](std::string_view text) { result += text; });
    write_in_pieces(reports, input, size);
    return result;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    StandIns stand_ins(mark);
    Documents documents;
    for (std::size_t at = input.find(statement_keyword); at != std::string_view::npos;
         at = input.find(statement_keyword, at + 1)) {
        check_statement(input.substr(at));
    }
    if (auto document = with_stand_ins(input, stand_ins)) {
        demand(document->original.whole() == input);
        demand(lines(document->text.whole()) == lines(input));
        demand(document->text.whole() != input);
        for (const Span& span : document->spans) {
            demand(span.first >= 1 && span.first <= span.last);
            demand(span.last <= document->original.line(span.line).size());
        }
        // Our own names are in it, unless the input held them.
        demand(stand_ins.in(document->text.whole()));
        restored(document->text.whole(), stand_ins);
        documents["name"] = std::move(document);
    }
    const Rewriter rewriter(stand_ins);
    const std::size_t piece = size == 0 ? 1 : 1 + data[0] % 64;
    demand(restored_in_pieces(input, piece, stand_ins) == restored(input, stand_ins));
    demand(reported_in_pieces(input, piece, documents, stand_ins, rewriter) ==
           reported_in_pieces(input, size + 1, documents, stand_ins, rewriter));
    return 0;
}
