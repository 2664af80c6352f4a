// SPDX-License-Identifier: GPL-2.0-or-later
// A line of numbers (the revision, when it was heard, in milliseconds, what is too old, in seconds, and how many pairs
// were taken away by then); one with the
// member of the source, one with the trouble, and one with what is refused.
#include "records/source_record.hpp"

#include <ctime>
#include <sstream>

#include <fmt/format.h>

namespace statnat {

using std::chrono::milliseconds;
using std::chrono::seconds;

milliseconds since_boot() {
    timespec now{};
    ::clock_gettime(CLOCK_BOOTTIME, &now);
    return seconds(now.tv_sec) + milliseconds(now.tv_nsec / 1000000);
}

std::vector<std::string> SourceRecord::ailments() const {
    std::vector<std::string> sentences;
    if (is_stale()) {
        sentences.push_back(fmt::format("pairs are stale: nothing was heard from their source for {} s, stale-after is "
                                        "{} s{}",
                                        std::chrono::duration_cast<seconds>(age()).count(), stale_after.count(),
                                        trouble.empty() ? "" : ": " + trouble));
    }
    if (!refused.empty()) {
        sentences.push_back(fmt::format("what the source has now is not loaded: {}", refused));
    }
    return sentences;
}

std::optional<SourceRecord> recall_source(const RunFile& file) {
    auto opened = file.open();
    std::string line;
    if (!opened || !std::getline(opened->rest, line)) {
        return std::nullopt;
    }
    SourceRecord record;
    std::istringstream numbers(line);
    milliseconds::rep heard_at = 0;
    seconds::rep stale_after = 0;
    numbers >> record.loaded >> heard_at >> stale_after >> record.removed;
    if (!numbers || !std::getline(opened->rest, record.endpoint)) {
        return std::nullopt;
    }
    record.heard_at = milliseconds(heard_at);
    record.stale_after = seconds(stale_after);
    std::getline(opened->rest, record.trouble);
    std::getline(opened->rest, record.refused);
    return record;
}

void keep_source(const RunFile& file, const std::optional<SourceRecord>& record) {
    if (!record) {
        file.remove();
        return;
    }
    file.write(0, [&](Replacement& replacement) {  // of no one generation
        replacement.write(fmt::format("{} {} {} {}\n{}\n{}\n{}\n", record->loaded, record->heard_at.count(),
                                      record->stale_after.count(), record->removed, record->endpoint, record->trouble,
                                      record->refused));
    });
}

}  // namespace statnat
