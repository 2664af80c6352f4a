// SPDX-License-Identifier: GPL-2.0-or-later
#include "journal_sink.hpp"

#include <fstream>
#include <iostream>

#include <spdlog/spdlog.h>
#include <unistd.h>

namespace statnat {
namespace {

// syslog(3)
const char* priority(spdlog::level::level_enum level) {
    return level >= spdlog::level::critical ? "2"
           : level == spdlog::level::err    ? "3"
           : level == spdlog::level::warn   ? "4"
           : level == spdlog::level::info   ? "6"
                                            : "7";
}

// Of which unit this process is: the journal asks the kernel when it comes to read an entry, and finds nobody where a
// short command has ended by then. An entry of root that names its unit so is found by "journalctl -u" all the same.
std::string own_unit() {
    std::ifstream groups("/proc/self/cgroup");
    for (std::string line; std::getline(groups, line);) {
        const bool is_of_systemd = line.starts_with("0::") || line.find(":name=systemd:") != std::string::npos;
        if (is_of_systemd && line.ends_with(".service")) {
            return line.substr(line.rfind('/') + 1);
        }
    }
    return "";
}

}  // namespace

JournalSink::JournalSink(std::string identifier) : identifier_(std::move(identifier)) {
    if (const std::string unit = own_unit(); !unit.empty()) {
        always("OBJECT_SYSTEMD_UNIT", unit);
    }
}

void JournalSink::always(std::string name, std::string value) {
    always_.emplace_back(std::move(name), std::move(value));
}

void JournalSink::write(spdlog::level::level_enum level, std::string_view sentence, const Fields& fields) const {
    Fields all{{"MESSAGE", std::string(sentence)}, {"PRIORITY", priority(level)}, {"SYSLOG_IDENTIFIER", identifier_}};
    all.insert(all.end(), always_.begin(), always_.end());
    all.insert(all.end(), fields.begin(), fields.end());
    if (!journal_.send(all)) {
        std::cerr << identifier_ << ": " << sentence << '\n';
    }
}

void JournalSink::sink_it_(const spdlog::details::log_msg& message) {
    write(message.level, {message.payload.data(), message.payload.size()});
}

JournalSink* journal_sink() {
    for (const spdlog::sink_ptr& sink : spdlog::default_logger_raw()->sinks()) {
        if (auto* const journal = dynamic_cast<JournalSink*>(sink.get())) {
            return journal;
        }
    }
    return nullptr;
}

void log_with(spdlog::level::level_enum level, const std::string& sentence, const Fields& fields) {
    const JournalSink* const journal = journal_sink();
    if (!journal) {
        spdlog::log(level, "{}", sentence);
    } else if (spdlog::should_log(level)) {
        journal->write(level, sentence, fields);
    }
}

void tell(std::ostream& out, const std::string& sentence, const Fields& fields) {
    const JournalSink* const journal = journal_sink();
    if (journal && out.rdbuf() && &out == &std::cout && Journal::is_behind(STDOUT_FILENO)) {
        journal->write(spdlog::level::info, sentence, fields);
    } else {
        out << sentence << '\n';
    }
}

}  // namespace statnat
