// SPDX-License-Identifier: GPL-2.0-or-later
#include "live/top.hpp"

#include "actual/reader.hpp"
#include "error.hpp"
#include "live/ending.hpp"
#include "live/processor_time.hpp"
#include "live/rates.hpp"
#include "live/screen.hpp"
#include "printable.hpp"
#include "quantity.hpp"
#include "ruleset/inventory.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

namespace statnat {
namespace {

using Clock = std::chrono::steady_clock;

constexpr Seconds shortest_interval(2);
constexpr double affordable = 0.008;  // with something to spare

Seconds read_interval(const std::string& text) {
    double seconds = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (error != std::errc() || end != text.data() + text.size() || !(seconds >= 0.1 && seconds <= 3600)) {
        throw CannotGoOn{fmt::format("--interval is {}: legal are 0.1 to 3600 seconds", in_quotes(text)), exit_usage};
    }
    return Seconds(seconds);
}

// Whether its pairs count, or there are none.
bool counts_pairs(const Ruleset& ruleset) {
    return std::all_of(ruleset.begin(), ruleset.end(), [](const Table& table) {
        return std::any_of(table.maps.begin(), table.maps.end(), [](const Map& map) { return map.counters; });
    });
}

struct Reading {
    std::vector<CountedPair> pairs;
    Clock::time_point at;
};

class Top {
public:
    Top(const Sockets& sockets, const Instance& instance, std::optional<Seconds> interval)
        : table_(instance.table()), netlink_(sockets.talk()), unused_(sockets.listen, instance), interval_(interval),
          now_(read()) {
        if (!counts_) {
            throw CannotGoOn{"pairs count nothing here, since counters are kept per rule or not at all: set "
                             "counters = \"pair\" and sync"};
        }
    }

    void run() {
        const Ending ending(STDOUT_FILENO);
        Screen screen;
        refresh(screen);
        Clock::time_point next = now_.at + std::chrono::seconds(1);  // so that there is something to see soon
        for (;;) {
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - Clock::now());
            if (!ending.wait(STDIN_FILENO, std::max(left, std::chrono::milliseconds(0)))) {
                return;
            }
            const Screen::Typed typed = screen.typed();
            if (typed == Screen::Typed::quit) {
                return;
            }
            if (Clock::now() >= next) {
                measure();
                refresh(screen);
                next = now_.at + std::chrono::duration_cast<Clock::duration>(interval());
            } else if (typed == Screen::Typed::resized) {
                draw(screen);
            }
        }
    }

private:
    // Not at one generation: counters are of many moments anyway.
    Reading read() {
        Reading reading{{}, Clock::now()};
        Progress progress;
        Progress::Step step(progress, "");
        Patience patience(std::chrono::seconds(1));
        Ruleset ruleset;
        for (const Family family : families) {
            Reader reader(netlink_, unused_, patience, step, table_);
            if (auto table = reader.read(family, Depth::elements, nullptr)) {
                ruleset.push_back(std::move(*table));
            }
        }
        counts_ = counts_pairs(ruleset);
        reading.pairs = counted_pairs(ruleset);
        return reading;
    }

    void measure() {
        Reading then = std::exchange(now_, read());
        rates_ = rates(then.pairs, now_.pairs, now_.at - then.at);
    }

    Seconds interval() const {
        return interval_.value_or(std::max(shortest_interval, cost_ / affordable));
    }

    void refresh(Screen& screen) {
        draw(screen);
        const Seconds spent = processor_time();
        cost_ = spent - std::exchange(spent_, spent);
    }

    void draw(Screen& screen) const {
        std::vector<std::string> lines{fmt::format("{}, every {:.3g} s: {}", quantity(now_.pairs.size(), "pair"),
                                                   interval().count(), sum_text(rates_))};
        const std::size_t room = screen.lines() > 2 ? screen.lines() - 2 : 0;
        const std::vector<std::string> rows = busiest(rates_, room);
        lines.insert(lines.end(), rows.begin(), rows.end());
        screen.draw(lines, 1);
    }

    std::string table_;
    Netlink netlink_;
    Watch unused_;
    std::optional<Seconds> interval_;
    bool counts_ = true;
    Seconds spent_{};  // of a processor, all in all
    Seconds cost_{};   // of the last refresh
    Reading now_;
    std::vector<BusyPair> rates_;
};

}  // namespace

int top(const Sockets& sockets, const Instance& instance, const std::optional<std::string>& interval) {
    Top(sockets, instance, interval ? std::optional(read_interval(*interval)) : std::nullopt).run();
    return exit_done;
}

}  // namespace statnat
