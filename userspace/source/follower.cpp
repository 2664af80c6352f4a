// SPDX-License-Identifier: GPL-2.0-or-later
#include "source/follower.hpp"

#include "error.hpp"
#include "records/source_record.hpp"
#include "source/snapshot.hpp"
#include "source/value.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <exception>
#include <random>

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace statnat {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// How often a member is asked whether it has a leader, beside what it tells.
constexpr milliseconds between_questions(1000);

// How soon a source that is away is asked again, and how late at last.
constexpr milliseconds first_delay(100);
constexpr milliseconds last_delay(2000);

// How long a member may take until it begins to tell.
constexpr seconds longest_beginning(5);

// All is read again behind each loss of the stream, and every hour without one: a cluster that was restored from a
// backup may have told another story under the same revisions. Not by all gateways at once.
constexpr seconds soon_again(5);
constexpr seconds late_again(3600);
constexpr int most_scatter = 25;  // seconds

seconds scattered(seconds least) {
    thread_local std::mt19937 random{std::random_device{}()};
    return least + seconds(std::uniform_int_distribution<int>(0, most_scatter)(random));
}

// The thread is to end.
struct Stopped {};

// What is followed, as long as it is.
class Attached {
public:
    Attached(EtcdStream*& stream, EtcdStream& one) : stream_(stream) { stream_ = &one; }
    ~Attached() { stream_ = nullptr; }
    Attached(const Attached&) = delete;
    Attached& operator=(const Attached&) = delete;

private:
    EtcdStream*& stream_;
};

// The thread must get none: whoever waits for one is another.
std::thread start_without_signals(const std::function<void()>& run) {
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    std::thread thread(run);
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return thread;
}

}  // namespace

Bell::Bell() : descriptor_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (descriptor_ < 0) {
        throw CannotGoOn{fmt::format("cannot follow the source: {}", std::strerror(errno))};
    }
}

Bell::~Bell() {
    ::close(descriptor_);
}

void Bell::ring() const {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(descriptor_, &one, sizeof one);  // fails only where it has been rung
}

void Bell::hush() const {
    std::uint64_t count = 0;
    [[maybe_unused]] const auto taken = ::read(descriptor_, &count, sizeof count);
}

Follower::Follower(Source source)
    : source_(std::move(source)), client_(source_.etcd, [this] { meanwhile(); }, stop_.descriptor()),
      thread_(start_without_signals([this] { run(); })) {}

Follower::~Follower() {
    stopping_ = true;
    stop_.ring();
    thread_.join();
}

SourceNews Follower::take() {
    const std::lock_guard lock(mutex_);
    has_news_.hush();
    return std::exchange(news_, {});
}

SourceState Follower::state() {
    const std::lock_guard lock(mutex_);
    return state_;
}

void Follower::wait_for_first(milliseconds most) {
    std::unique_lock lock(mutex_);
    first_.wait_for(lock, most, [&] { return state_.revision != 0 || !state_.trouble.empty(); });
}

void Follower::run() {
    while (!stopping_) {
        std::string trouble;
        while_reading_.reset();
        try {
            const EtcdHeader now = client_.ask(source_.prefix);
            if (last_.revision == 0 || now.cluster != last_.cluster || now.revision < last_.revision) {
                last_ = {};
                read_all();
            } else {
                next_reading_ = std::min(next_reading_, Clock::now() + scattered(soon_again));
            }
            follow();
        } catch (const EtcdCompacted&) {
            last_ = {};
        } catch (const EtcdAway& away) {
            trouble = away.sentence;
        } catch (const HttpFailure& failure) {
            trouble = failure.sentence;
        } catch (const Stopped&) {
            return;
        } catch (const std::exception& failure) {  // such as for want of memory
            trouble = failure.what();
        }
        if (!trouble.empty()) {
            {
                const std::lock_guard lock(mutex_);
                state_.trouble = std::move(trouble);
            }
            first_.notify_all();
            pause();
        }
    }
}

// What comes meanwhile is told at once, and again behind all that was read: some of it may be older than that.
void Follower::read_all() {
    const std::int64_t known = last_.revision;
    while_reading_.emplace();
    auto [header, snapshot] = read_snapshot(client_, source_.prefix);
    const Changes since = *std::exchange(while_reading_, std::nullopt);
    if (header.revision < known || (last_.cluster != 0 && header.cluster != last_.cluster)) {
        last_ = {};
        throw EtcdCompacted{};  // it tells another story now
    }
    last_ = {header.cluster, std::max(header.revision, last_.revision)};
    next_reading_ = Clock::now() + scattered(late_again);
    post([&, at = header.revision, all = &snapshot](SourceNews& news) {
        news = {std::move(*all), {}, last_.revision};
        for (const auto& [revision, change] : since) {
            if (revision > at) {
                news.changes.push_back(change);
            }
        }
    });
    heard(last_.revision);
}

// Until the stream ends, or its member is no longer the one that answers.
void Follower::follow() {
    EtcdStream stream(client_, source_.prefix, behind_prefix(source_.prefix), last_.revision + 1);
    const Attached attached(stream_, stream);
    const Clock::time_point begun = Clock::now();
    Clock::time_point next_question = begun + between_questions;
    for (;;) {
        const auto left = std::chrono::ceil<milliseconds>(next_question - Clock::now());
        client_.transfers().turn(std::max(left, milliseconds(0)));
        meanwhile();
        if (Clock::now() < next_question) {
            continue;
        }
        const std::int64_t known = last_.revision;
        const EtcdHeader now = client_.ask(source_.prefix);
        next_question = Clock::now() + between_questions;
        if (client_.endpoint() != stream.endpoint() || now.cluster != last_.cluster || now.revision < known) {
            return;
        }
        if (!stream.has_begun() && Clock::now() - begun > longest_beginning) {
            throw EtcdAway{stream.endpoint() + ": does not begin to watch"};
        }
        if (stream.has_begun()) {
            heard(last_.revision);
        }
        if (Clock::now() >= next_reading_) {
            read_all();
        }
    }
}

// Whatever the client waits for, so that a member which is slow to answer keeps no change waiting.
void Follower::meanwhile() {
    if (stopping_) {
        throw Stopped{};
    }
    if (stream_) {
        hear();
    }
}

// A response says at which revision its member is, not how far its own events go.
void Follower::hear() {
    for (EtcdBatch& batch : stream_->take()) {
        const std::int64_t known = last_.revision;
        post([&](SourceNews& news) {
            for (EtcdEvent& event : batch.events) {
                if (!event.key.key.starts_with(source_.prefix)) {
                    throw EtcdAway{stream_->endpoint() + ": tells of keys that it was not asked for"};
                }
                if (event.key.changed_at <= known) {
                    continue;
                }
                last_.revision = std::max(last_.revision, event.key.changed_at);
                const SourceChange& change = news.changes.emplace_back(
                    event.key.key.substr(source_.prefix.size()),
                    event.gone ? std::nullopt : std::optional(read_value(event.key.value)));
                if (while_reading_) {
                    while_reading_->emplace_back(event.key.changed_at, change);
                }
            }
            news.revision = last_.revision;
        });
        heard(last_.revision);
    }
}

void Follower::heard(std::int64_t revision) {
    delay_ = milliseconds(0);
    {
        const std::lock_guard lock(mutex_);
        state_ = {revision, since_boot(), client_.endpoint(), {}};
    }
    first_.notify_all();
}

void Follower::pause() {
    delay_ = std::clamp(2 * delay_, first_delay, last_delay);
    pollfd stop{.fd = stop_.descriptor(), .events = POLLIN, .revents = 0};
    ::poll(&stop, 1, static_cast<int>(delay_.count()));
}

void Follower::post(const std::function<void(SourceNews&)>& write) {
    const std::lock_guard lock(mutex_);
    write(news_);
    has_news_.ring();
}

}  // namespace statnat
