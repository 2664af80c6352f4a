// SPDX-License-Identifier: GPL-2.0-or-later
// What libnftables says against a text with stand-ins, said about the text that the user wrote.
#pragma once

#include "stand_ins/document.hpp"
#include "stand_ins/rewrite.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace statnat {

// The name of what libnftables gets as a buffer, and about which it says no place.
inline constexpr std::string_view command_line_name = "<cmdline>";

struct Quotation;  // a line and the place that it begins with

class Reports {
public:
    using Sink = std::function<void(std::string_view)>;

    Reports(const Documents& documents, const StandIns& stand_ins, const Rewriter& rewriter, Sink sink);

    // Passes on what is whole: lines, and reports with the lines that belong to them.
    void write(std::string_view text);

    // Passes on what there is.
    void flush();

    // The same, at the end of a run.
    void end();

private:
    void pass_on(bool all);
    bool is_whole(const Quotation& heading, std::string_view rest) const;
    std::string restored_line(const Quotation& quotation, std::string_view line) const;
    std::string report(Quotation heading, std::string_view& rest);
    const Document* find(std::string_view name) const;
    std::optional<std::string> restored_message(std::string_view message, bool about_statement);
    const Objection* objection_in(std::string_view message) const;

    const Documents& documents_;
    const StandIns& stand_ins_;
    const Rewriter& rewriter_;
    Sink sink_;
    std::string held_;
    bool told_of_module_ = false;  // once is enough
};

}  // namespace statnat
