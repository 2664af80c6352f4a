// SPDX-License-Identifier: GPL-2.0-or-later
// A table of ours marks packets; nf_tables tells what becomes of them; a packet is printed when nothing more is told.
#include "packets/trace.hpp"

#include "error.hpp"
#include "live/ending.hpp"
#include "netlink/socket.hpp"
#include "nft/listing.hpp"
#include "packets/filter.hpp"
#include "packets/passage.hpp"
#include "printable.hpp"
#include "ruleset/explanation.hpp"
#include "tracing/owned_table.hpp"
#include "tracing/trace_event.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <list>
#include <map>
#include <tuple>
#include <utility>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <net/if.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

namespace statnat {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// Of a packet of which nothing more is told for so long, nothing more comes, unless it waits for somebody.
constexpr milliseconds silence(300);
// So many are on their way at once; of more, the oldest is taken for lost.
constexpr std::size_t most_open = 1024;
// What a rule is, is asked again after so long: somebody may have put another one in its place.
constexpr milliseconds freshness(2000);

constexpr std::uint64_t most_packets = 1'000'000'000, most_seconds = 31'536'000;

std::optional<std::uint64_t> read_number(const std::optional<std::string>& text, const char* option,
                                         std::uint64_t most) {
    if (!text) {
        return std::nullopt;
    }
    std::uint64_t number = 0;
    const char* const end = text->data() + text->size();
    const auto [behind, error] = std::from_chars(text->data(), end, number);
    if (error != std::errc() || behind != end || number == 0 || number > most) {
        throw CannotGoOn{fmt::format("--{} is {}: legal are 1 to {}", option, in_quotes(*text), most), exit_usage};
    }
    return number;
}

std::string now() {
    const auto at = std::chrono::time_point_cast<milliseconds>(std::chrono::system_clock::now());
    return fmt::format("{:%FT%T}.{:03}Z", fmt::gmtime(std::chrono::system_clock::to_time_t(at)),
                       at.time_since_epoch().count() % 1000);
}

std::string name_of_interface(int index) {
    std::array<char, IF_NAMESIZE> name{};
    return ::if_indextoname(static_cast<unsigned>(index), name.data()) ? name.data() : fmt::format("{}", index);
}

// The pair that has an address, on either side.
Pair pair_of(Kernel& kernel, const Address& address) {
    const Explanation explanation = explain(kernel.read().ruleset, address);
    for (const Handling* one : {&explanation.outbound, &explanation.inbound}) {
        if (one->match) {
            return one->match->pair;
        }
    }
    throw CannotGoOn{fmt::format("{} has no pair in the kernel, so there is nothing to trace", address.text())};
}

// Texts of rules, by where they are.
class Rules {
public:
    std::optional<std::string> text_of(const TraceEvent& event) {
        if (!event.rule) {
            return std::nullopt;
        }
        Listing& known = listings_[{event.family, event.table, event.chain}];
        if (known.at + freshness < Clock::now()) {
            known = {list_chain(event.family, event.table, event.chain).value_or(""), Clock::now()};
        }
        return rule_in_listing(known.text, *event.rule);
    }

private:
    struct Listing {
        std::string text{};
        Clock::time_point at = Clock::now() - 2 * freshness;
    };

    std::map<std::tuple<std::string, std::string, std::string>, Listing> listings_;
};

class Tracing {
public:
    Tracing(const Pair& pair, const TraceOptions& options, std::ostream& out)
        : json_(options.json), out_(out), left_(read_number(options.count, "count", most_packets)),
          socket_(open_trace_socket()), table_(name_, filter_text(name_, pair)) {
        if (const auto seconds = read_number(options.seconds, "for", most_seconds)) {
            until_ = Clock::now() + std::chrono::seconds(*seconds);
        }
    }

    void run(const Ending& ending) {
        bool goes_on = true;
        while (goes_on && left_ != 0) {
            out_.flush();
            goes_on = ending.wait(socket_->descriptor(), waiting()) && (!until_ || Clock::now() < *until_);
            hear_all();
            close();
        }
        out_.flush();
    }

private:
    struct Open {
        Passage passage;
        std::uint32_t number;  // by which it is told of now
        Clock::time_point last;
    };

    // In a VRF a packet arrives by the port, and then by the VRF; nf_tables numbers packets by interface, too.
    static bool arrives_again(const TraceEvent& event, const Open& open) {
        const TraceEvent& first = open.passage.events.front();
        return event.chain == arriving && first.chain == arriving && event.in != first.in &&
               event.network == first.network && event.transport == first.transport;
    }

    // Until the oldest is lost, or all is over; negative: for ever.
    milliseconds waiting() const {
        auto next = until_.value_or(Clock::time_point::max());
        for (const Open& one : open_) {
            next = std::min(next, one.last + silence);
        }
        return next == Clock::time_point::max()
                   ? milliseconds(-1)
                   : std::max(milliseconds(0), std::chrono::ceil<milliseconds>(next - Clock::now()));
    }

    void hear_all() {
        while (true) {
            const Received got = receive(*socket_, buffer_, false);
            if (got.lost) {
                spdlog::warn("more was traced at once than could be heard: some of it is missing");
                continue;
            }
            if (!got.datagram) {
                return;
            }
            for_each_message(*got.datagram, [&](Message message, Message) {
                if (const auto event = trace_event_in(message)) {
                    take(*event);
                }
            });
        }
    }

    void take(const TraceEvent& event) {
        auto one = std::find_if(open_.begin(), open_.end(),
                                [&](const Open& open) { return open.number == event.packet; });
        if (one == open_.end()) {
            if (event.table != name_ || (event.chain != arriving && event.chain != sent)) {
                return;  // traced by somebody else, or over already
            }
            one = std::find_if(open_.begin(), open_.end(),
                               [&](const Open& open) { return arrives_again(event, open); });
        }
        if (one == open_.end()) {
            if (open_.size() == most_open) {
                print(open_.front().passage);
                open_.pop_front();
            }
            one = open_.insert(open_.end(), Open{.passage = {.time = now(), .events = {}}, .number = 0, .last = {}});
        }
        one->passage.events.push_back(event);
        one->number = event.packet;
        one->last = Clock::now();
        if (is_over(one->passage, name_)) {
            print(one->passage);
            open_.erase(one);
        }
    }

    // What has been silent for so long is lost.
    void close() {
        const auto since = Clock::now() - silence;
        for (auto one = open_.begin(); one != open_.end();) {
            if (one->last <= since) {
                print(one->passage);
                one = open_.erase(one);
            } else {
                ++one;
            }
        }
    }

    void print(const Passage& passage) {
        if (left_ == 0) {
            return;
        }
        out_ << (json_ ? as_json(passage, naming_) : as_text(passage, naming_));
        left_ = left_ ? std::optional(*left_ - 1) : std::nullopt;
    }

    const std::string name_ = fmt::format("statnat.trace.{}", ::getpid());
    bool json_;
    std::ostream& out_;
    std::optional<std::uint64_t> left_;  // packets to print; nothing: as many as come
    std::optional<Clock::time_point> until_{};
    std::unique_ptr<Socket> socket_;
    Bytes buffer_ = Bytes(receive_size);
    OwnedTable table_;
    Rules rules_;
    const Naming naming_{name_, [this](const TraceEvent& event) { return rules_.text_of(event); }, name_of_interface};
    std::list<Open> open_;
};

}  // namespace

int trace(Kernel& kernel, const Address& address, const TraceOptions& options, std::ostream& out) {
    const Ending ending(STDOUT_FILENO);
    Tracing(pair_of(kernel, address), options, out).run(ending);
    return exit_done;
}

}  // namespace statnat
