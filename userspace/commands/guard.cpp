// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/guard.hpp"

#include "actual/this_machine.hpp"
#include "commands/neighbours.hpp"
#include "commands/sync.hpp"
#include "error.hpp"
#include "fence/upkeep.hpp"
#include "journal_sink.hpp"
#include "manager.hpp"
#include "printable.hpp"
#include "quantity.hpp"
#include "records/interface_pairs.hpp"
#include "records/source_record.hpp"
#include "source/mirror.hpp"
#include "vrf/delivery.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

namespace statnat {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using std::chrono::seconds;

// Whatever nf_tables forgets to tell is noticed after so long.
constexpr milliseconds interval(250);

// How often it is looked whether what waits for the module can be loaded.
constexpr seconds between_probes(10);

// How often it is looked whether policy rules are as they were left, of which nf_tables tells nothing.
constexpr seconds between_walks(1);

// How often what worked last is written down where pairs come and go all the time.
constexpr seconds between_keepings(10);

// The tool commits first, and then writes down what it has left.
constexpr seconds longest_writing(1);

// How soon to restore again.
class Pace {
public:
    bool is_time() const { return Clock::now() >= next_; }

    void restored() {
        const Clock::time_point now = Clock::now();
        delay_ = now < calm_again_ ? std::clamp(2 * delay_, shortest, longest) : milliseconds(0);
        next_ = now + delay_;
        calm_again_ = now + calm;
    }

    milliseconds delay() const { return delay_; }

private:
    static constexpr milliseconds shortest{250};
    static constexpr milliseconds longest{seconds(30)};
    static constexpr seconds calm{120};

    milliseconds delay_{0};
    Clock::time_point next_{};
    Clock::time_point calm_again_{};
};

// Whether there is nothing to restore: the tool has left our tables so, or has cleared them.
bool is_intended(const Kernel& kernel, const std::optional<Committer>& by) {
    const bool may_be_ours = by && by->process == our_process;
    const Clock::time_point end = Clock::now() + longest_writing;
    do {
        const auto record = kernel.baseline().recall();
        if (!record || (may_be_ours && static_cast<std::int32_t>(record->generation - by->generation) >= 0)) {
            return true;
        }
        std::this_thread::sleep_for(interval / 10);
    } while (may_be_ours && Clock::now() < end);
    return false;
}

class Guard {
public:
    Guard(Kernel& kernel, const Path& file, Progress& progress, std::ostream& out)
        : kernel_(kernel), file_(file), progress_(progress), out_(out) {}

    void begin() {
        try {
            sync_again();
        } catch (const CannotGoOn& failure) {
            if (failure.status != exit_no_source || kernel_.read(Depth::known).ruleset.empty()) {
                withdraw_if_ill();
                throw;
            }
            spdlog::error("{}: what the kernel has stays", printable(failure.sentence));
        } catch (const InvalidConfiguration&) {
            withdraw_if_ill();
            throw;
        }
        hear(milliseconds(0));
        manager_.ready();
    }

    void look() {
        manager_.alive();
        hear(interval);
        mirror_.look(kernel_.source());
        if (!disturbed_ && Clock::now() >= next_walk_) {
            next_walk_ = Clock::now() + between_walks;
            try_to([&] {
                disturbed_ = !gaps(kernel_.fence()).empty() || !astray(kernel_.vrf()).empty();
                moved_ = moved(kernel_.interface_pairs(), addresses_of_interfaces);
            });
        }
        if (disturbed_) {
            withdraw_if_ill();
        }
        if (disturbed_ && pace_.is_time()) {
            restore();
        } else if (!disturbed_ && !moved_.empty() && pace_.is_time()) {
            follow();
        } else if (!disturbed_ && Clock::now() >= next_probe_) {
            next_probe_ = Clock::now() + between_probes;
            probe();
        } else if (!disturbed_ && mirror_.has_news() && !is_cleared()) {
            take_news();
        } else if (!disturbed_ && keep_later_ && Clock::now() >= next_keeping_ && !is_cleared()) {
            next_keeping_ = Clock::now() + between_keepings;
            try_to([&] { sync_again(Take::loaded, true); });
        }
    }

private:
    enum class Take { loaded, newest };  // of the source's pairs

    // From the first time on, and again behind each commit of our own, it is known who commits.
    void hear(milliseconds most) {
        const auto disturbance = kernel_.wait(most, mirror_.descriptor());
        if (disturbance && !is_intended(kernel_, disturbance->by)) {
            disturbed_ = true;
            by_ = disturbance->by;
        }
    }

    // What is not as the tool left it, in sentences: then packets of pairs may not be translated.
    std::vector<std::string> losses_since(const Baseline::Record& record) {
        std::vector<std::string> all = kernel_.drift(record);
        const std::vector<std::string> open = gaps(kernel_.fence());
        const std::vector<std::string> strays = astray(kernel_.vrf());
        all.insert(all.end(), open.begin(), open.end());
        all.insert(all.end(), strays.begin(), strays.end());
        return all;
    }

    // Nobody is to send here what is not translated. Before anything is restored, since that may take long, or fail.
    void withdraw_if_ill() {
        if (!withdrawn_.empty() || kernel_.instance().is_named()) {
            return;
        }
        try_to([&] {
            const auto record = kernel_.baseline().recall();
            if (record && !losses_since(*record).empty()) {
                withdrawn_ = withdraw();
            }
        });
        if (!withdrawn_.empty()) {
            spdlog::warn("pairs are not translated: took {} away meanwhile", quantity(withdrawn_.size(), "route"));
        }
    }

    // A sync has put back what the configuration asks for; somebody may have asked for more by the command.
    void put_back_routes() {
        put_back(withdrawn_, kernel_);
        withdrawn_.clear();
    }

    // What the source has by now is taken by take_news() alone: there it is judged beside what the kernel has, and what
    // is refused leaves that as it is. What worked last may be older, and is for a kernel that has lost everything.
    void sync_again(Take what = Take::loaded, bool keep_now = false) {
        const bool keep = !mirror_.is_on() || keep_now || Clock::now() >= next_keeping_;
        const auto ask = [this, what](const Source& source) {
            return what == Take::loaded ? mirror_.ask_loaded(source) : mirror_.ask(source);
        };
        const SyncOptions options{.force = false,
                                  .fall_back = what == Take::loaded ? FallBack::always : FallBack::never,
                                  .ask = ask,
                                  .keep_last_good = keep};
        mirror_.begin_loading();
        const int status = sync(kernel_, file_, std::nullopt, options, progress_, out_);
        mirror_.loaded(status != exit_last_good);
        out_.flush();
        keep_later_ = !keep;
        next_keeping_ = keep ? Clock::now() + between_keepings : next_keeping_;
    }

    // Whoever has cleared everything wants nothing more of the source, until he syncs.
    bool is_cleared() {
        const bool is_kept = recall_source(kernel_.source()).has_value();
        was_kept_ = was_kept_ || is_kept;
        return was_kept_ && !is_kept;
    }

    // What cannot be loaded leaves all as it is, until something else comes.
    void take_news() {
        const auto refused = [&](const std::string& why) {
            spdlog::error("what the source has now is not loaded: {}", printable(why));
            mirror_.refused(why);
        };
        try {
            sync_again(Take::newest);
            hear(milliseconds(0));
        } catch (const CannotGoOn& failure) {
            refused(failure.sentence);
        } catch (const InvalidConfiguration& invalid) {
            refused(invalid.errors.front().text());
        }
    }

    // What is loaded natively for want of the module is loaded with it once there is one.
    void probe() {
        const auto record = kernel_.baseline().recall();
        if (record && !record->degraded.empty() && kernel_.probe().available) {
            try_to([&] { sync_again(); });
        }
    }

    // What interfaces have by now, pairs have, too.
    void follow() {
        pace_.restored();
        spdlog::info("{}: syncing", printable(fmt::format("{}", fmt::join(moved_, ", "))));
        moved_.clear();
        try_to([&] { sync_again(); });
    }

    // What cannot be restored now is tried again, no less slowly.
    void restore() {
        pace_.restored();
        const auto record = kernel_.baseline().recall();
        if (!record) {
            disturbed_ = false;
            withdrawn_.clear();
            return;
        }
        try_to([&] {
            const std::vector<std::string> drift = losses_since(*record);
            say(drift);
            sync_again();
            put_back_routes();
            if (by_ || !drift.empty()) {
                kernel_.restores().add_one();
            }
            disturbed_ = false;
            by_.reset();
            hear(milliseconds(0));
        });
    }

    static void try_to(const std::function<void()>& restore) {
        try {
            restore();
        } catch (const CannotGoOn& failure) {
            spdlog::error("not restored: {}", printable(failure.sentence));
        } catch (const InvalidConfiguration& invalid) {
            spdlog::error("not restored: {}", printable(invalid.errors.front().text()));
        }
    }

    void say(const std::vector<std::string>& drift) const {
        if (!by_ && drift.empty()) {
            spdlog::info("others have committed while nobody listened: looking at all pairs");
            return;
        }
        const std::string who = by_ ? by_->text() : "somebody";
        const std::string what =
            drift.empty() ? "pairs are not as they were" : fmt::format("{}", fmt::join(drift, ", "));
        const std::string when =
            pace_.delay() < seconds(1)
                ? std::string()
                : fmt::format(", and no sooner again than in {} s",
                              std::chrono::duration_cast<seconds>(pace_.delay()).count());
        Fields fields;
        if (by_) {
            fields = {{"STATNAT_CHANGED_BY", by_->process},
                      {"STATNAT_CHANGED_BY_PID", std::to_string(by_->process_id)}};
        }
        log_with(spdlog::level::warn,
                 fmt::format("{} changed the tables: {}: restoring them{}", printable(who), printable(what), when),
                 fields);
    }

    Kernel& kernel_;
    const Path& file_;
    Progress& progress_;
    std::ostream& out_;
    Manager manager_;
    Mirror mirror_;
    bool keep_later_ = false;  // what worked last is not written down yet
    Clock::time_point next_keeping_{};
    bool was_kept_ = false;    // how it stands with the source, which whoever clears forgets
    Pace pace_;
    Clock::time_point next_probe_{};
    Clock::time_point next_walk_{};
    bool disturbed_ = false;         // something is to be restored, perhaps
    std::optional<Committer> by_{};  // who did that, where it is known
    std::vector<Prefix> withdrawn_{};   // destinations to which routes wait until all is restored
    std::vector<std::string> moved_{};  // what interfaces have had otherwise, in sentences
};

}  // namespace

void watch(Kernel& kernel, const Path& file, Progress& progress, std::ostream& out) {
    Guard guard(kernel, file, progress, out);
    guard.begin();
    for (;;) {
        guard.look();
    }
}

}  // namespace statnat
