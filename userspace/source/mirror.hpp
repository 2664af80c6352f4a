// SPDX-License-Identifier: GPL-2.0-or-later
// What a source has, kept here as it is told, for whoever loads it again and again.
#pragma once

#include "config/configuration.hpp"
#include "records/run_file.hpp"
#include "source/follower.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace statnat {

class Mirror {
public:
    // Whether any source is followed, and what can be read once it has told something (-1: none is).
    bool is_on() const { return follower_ != nullptr; }
    int descriptor() const { return follower_ ? follower_->descriptor() : -1; }

    // Takes what has come, and writes down from time to time how it stands with the source.
    void look(const RunFile& record);

    // Whether there is something that is not loaded, and time to try: not again at once what was refused, nor all the
    // time what takes all the time.
    bool has_news() const { return fresh_ && Clock::now() >= next_attempt_; }

    // All of it, as an AskSource has it; follows that source from now on. Throws CannotGoOn where it is not there yet.
    std::shared_ptr<const SourceSnapshot> ask(const Source& source);
    // The same as it was when it was loaded last, whatever has come since: that may be none that can be loaded, and is
    // judged beside what the kernel has. All of it where nothing was loaded yet, or it is another source.
    std::shared_ptr<const SourceSnapshot> ask_loaded(const Source& source);

    // Around an attempt to load what is asked for in between. `by_file`: it was the configuration's file that did not
    // ask, if nobody did.
    void begin_loading();
    void loaded(bool by_file);
    void refused(std::string why);

private:
    using Clock = std::chrono::steady_clock;
    enum class Asked { for_nothing, for_loaded, for_all };

    void take();
    void put(const std::string& key, std::optional<SourcePair> pair);
    void replace(decltype(SourceSnapshot::pairs) all);
    void forget();
    void report(const RunFile& record) const;

    std::unique_ptr<Follower> follower_{};  // null: pairs are in files
    std::shared_ptr<SourceSnapshot> pairs_{};
    std::map<std::string, std::optional<SourcePair>> before_{};  // what has come since the last loading was so then
    std::int64_t loaded_ = 0;  // the revision; 0: none of this source's
    bool fresh_ = false;
    Asked asked_ = Asked::for_nothing;
    std::string refused_{};
    Clock::time_point begun_{};
    Clock::time_point next_attempt_{};
    Clock::time_point next_report_{};
};

}  // namespace statnat
