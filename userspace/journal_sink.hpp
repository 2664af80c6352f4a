// SPDX-License-Identifier: GPL-2.0-or-later
// Where the logger writes to when standard error is the journal: entries with fields instead of lines.
#pragma once

#include "journal.hpp"

#include <ostream>
#include <string>
#include <string_view>

#include <spdlog/details/null_mutex.h>
#include <spdlog/sinks/base_sink.h>

namespace statnat {

class JournalSink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
public:
    // `identifier`: of whom the entries are.
    explicit JournalSink(std::string identifier);

    // A field that all entries have from here on.
    void always(std::string name, std::string value);

    // To standard error where the journal does not take it.
    void write(spdlog::level::level_enum level, std::string_view sentence, const Fields& fields = {}) const;

private:
    void sink_it_(const spdlog::details::log_msg& message) override;
    void flush_() override {}

    std::string identifier_;
    Journal journal_;
    Fields always_;
};

// The default logger's; null where it writes elsewhere.
JournalSink* journal_sink();

// As the logger does, with fields for the journal.
void log_with(spdlog::level::level_enum level, const std::string& sentence, const Fields& fields);

// What was done, as a line of output; in the journal an entry, where both outputs go there.
void tell(std::ostream& out, const std::string& sentence, const Fields& fields);

}  // namespace statnat
