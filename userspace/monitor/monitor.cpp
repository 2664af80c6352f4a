// SPDX-License-Identifier: GPL-2.0-or-later
// What is heard says what has changed and who did that. Where something was not heard, for want of room, all is read
// again: what differs then is told without a name.
#include "monitor/monitor.hpp"

#include "actual/reader.hpp"
#include "error.hpp"
#include "monitor/ear.hpp"
#include "live/ending.hpp"
#include "monitor/ledger.hpp"
#include "netlink/netlink.hpp"
#include "quantity.hpp"
#include "reports/paint.hpp"
#include "wire/decoder.hpp"
#include "wire/questions.hpp"
#include "wire/refusals.hpp"

#include <cerrno>
#include <chrono>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

namespace statnat {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds for_ever(-1);
// What comes within so short a time is heard together: to wake up costs more than to hear.
constexpr milliseconds gathering(50);
// What others change all the time is read so often in a row, and then again so much later.
constexpr int most_attempts = 20;
constexpr milliseconds rest(1000);

std::string time_in_json() {
    const auto now = std::chrono::time_point_cast<milliseconds>(std::chrono::system_clock::now());
    return fmt::format(R"("time":"{:%FT%T}.{:03}Z")", fmt::gmtime(std::chrono::system_clock::to_time_t(now)),
                       now.time_since_epoch().count() % 1000);
}

class Monitor {
public:
    Monitor(const Sockets& sockets, std::string table, bool json, std::ostream& out)
        : table_(std::move(table)), netlink_(sockets.talk()), ear_(sockets.listen(), table_), ledger_(table_),
          json_(json), out_(out) {}

    void run(const Ending& ending) {
        do {
            ear_.hear_all(take_);
            if (!whole_ || ear_.has_lost()) {
                read_again();
            }
            out_.flush();
        } while (ending.wait(-1, gathering) &&
                 (whole_ ? ending.wait(ear_.descriptor(), for_ever) : ending.wait(-1, rest)));
    }

private:
    using Place = std::pair<Family, std::string>;  // a map; without a name, the table and which maps it has

    void take(const Transaction& transaction) {
        for (const Deed& deed : transaction.deeds) {
            touched_.emplace(deed.family, deed.of == Deed::Of::elements ? deed.map : "");
        }
        ledger_.take(transaction);
        if (whole_) {
            tell(transaction.by);
        }
    }

    void read_again() {
        whole_ = false;
        ear_.begin([&] { return read_generation(netlink_); }, take_);
        whole_ = read() && !ear_.has_lost();
        if (!whole_) {
            complain();
        } else if (!begun_) {
            begun_ = true;
            ledger_.differences();
            say(fmt::format("listening: {}", quantity(ledger_.pairs(), "pair")),
                fmt::format(R"("event":"listening","pairs":{})", ledger_.pairs()));
        } else {
            ++resynchronised_;
            say(fmt::format("resynchronised ({}): more was changed at once than could be heard; what differs now:",
                            resynchronised_),
                fmt::format(R"("event":"resynchronised","count":{})", resynchronised_));
            tell(std::nullopt);
        }
        complained_ = complained_ && !whole_;
    }

    // False: others change it all the time.
    bool read() {
        for (const Family family : families) {
            const auto there = undisturbed<Structure>(family, "", [&] { return read_structure(family); });
            if (!there) {
                return false;
            }
            ledger_.replace(family, there->has_table, there->maps);
            for (const std::string& map : there->maps) {
                const auto told =
                    undisturbed<std::vector<Bytes>>(family, map, [&] { return read_map(family, map); });
                if (!told) {
                    return false;
                }
                ledger_.replace(family, map, elements_in(*told, family));
            }
        }
        return true;
    }

    // What nobody touches meanwhile is as it was read. Right behind somebody's change there is the most time until the
    // next one; and who has waited is let run.
    template <class Read>
    std::optional<Read> undisturbed(Family family, const std::string& map,
                                    const std::function<std::optional<Read>()>& read_once) {
        for (int attempt = 0; attempt < most_attempts && !ear_.has_lost(); ++attempt) {
            touched_.clear();
            auto answer = read_once();
            ear_.hear_up_to(read_generation(netlink_), take_);
            if (answer && !touched_.contains({family, map}) && !touched_.contains({family, ""})) {
                return answer;
            }
            ear_.hear_next(gathering, take_);
        }
        return std::nullopt;
    }

    struct Structure {
        bool has_table = false;
        std::vector<std::string> maps{};
    };

    std::optional<Structure> read_structure(Family family) {
        TableDecoder decoder(family, table_);
        Structure there;
        const Answer table = netlink_.ask(ask_table(family, table_, netlink_.next_sequence()),
                                          [&](Message) { there.has_table = true; });
        const Answer sets = netlink_.ask(ask_sets(family, table_, netlink_.next_sequence()),
                                         [&](Message message) { decoder.set(message); });
        there.maps = decoder.maps_to_read();
        const bool whole = judge(table) && judge(sets);
        return whole ? std::optional(there) : std::nullopt;
    }

    // As it is told: the sooner all of it is, the likelier nobody has touched it meanwhile.
    std::optional<std::vector<Bytes>> read_map(Family family, const std::string& map) {
        std::vector<Bytes> messages;
        const Answer answer =
            netlink_.ask(ask_elements(family, table_, map, netlink_.next_sequence()),
                         [&](Message message) { messages.emplace_back(message.begin(), message.end()); });
        return judge(answer) ? std::optional(std::move(messages)) : std::nullopt;
    }

    static Elements elements_in(const std::vector<Bytes>& messages, Family family) {
        Elements elements;
        for (const Bytes& message : messages) {
            decode_elements(message, family, elements);
        }
        elements.sort();
        return elements;
    }

    // What is not there has nothing in it.
    static bool judge(const Answer& answer) {
        if (answer.refusal && answer.refusal->error != ENOENT && answer.refusal->error != EAFNOSUPPORT) {
            throw CannotGoOn{sentence_about_question(*answer.refusal)};
        }
        return !answer.incomplete;
    }

    // Once, until they pause.
    void complain() {
        if (!std::exchange(complained_, true)) {
            spdlog::warn("pairs change faster than they can be read: what becomes of them is told when that pauses");
        }
    }

    void tell(const std::optional<Committer>& by) {
        for (const Difference& difference : ledger_.differences()) {
            say(json_ ? "" : as_line(difference, by), json_ ? as_json(difference, by) : "");
        }
    }

    void say(std::string_view line, std::string_view members) {
        out_ << (json_       ? fmt::format("{{{},{}}}", time_in_json(), members)
                 : colours_ ? painted(line)
                            : std::string(line))
             << '\n';
    }

    std::string table_;
    Netlink netlink_;
    Ear ear_;
    const Ear::Visit take_ = [&](const Transaction& transaction) { take(transaction); };
    Ledger ledger_;
    std::set<Place> touched_;
    bool whole_ = false;  // the ledger has all
    bool begun_ = false;
    bool complained_ = false;
    std::uint64_t resynchronised_ = 0;
    const bool colours_ = wants_colours(STDOUT_FILENO);
    bool json_;
    std::ostream& out_;
};

}  // namespace

int monitor(const Sockets& sockets, const Instance& instance, bool json, std::ostream& out) {
    const Ending ending(STDOUT_FILENO);
    Monitor(sockets, instance.table(), json, out).run(ending);
    return exit_done;
}

}  // namespace statnat
