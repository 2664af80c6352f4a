// SPDX-License-Identifier: GPL-2.0-or-later
// Follows a source in a thread of its own, so that whoever keeps the rules never waits for it: first all of its pairs
// at one revision, then what becomes of them. Whatever may have come between two things that it heard, it reads all
// again.
#pragma once

#include "config/configuration.hpp"
#include "etcd/client.hpp"
#include "etcd/stream.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace statnat {

// Of a key, which is the internal side; nothing: it is gone.
using SourceChange = std::pair<std::string, std::optional<SourcePair>>;

// What has come since it was asked last. Changes are newer than all that are there.
struct SourceNews {
    std::optional<SourceSnapshot> all{};
    std::vector<SourceChange> changes{};
    std::int64_t revision = 0;

    bool empty() const { return !all && changes.empty(); }
};

// How it stands with the source.
struct SourceState {
    std::int64_t revision = 0;                           // as far as it is known here; 0: not at all yet
    std::optional<std::chrono::milliseconds> heard_at{};  // since boot; nothing: never
    std::string endpoint{};
    std::string trouble{};  // why it is not heard now; empty: it is
};

// What a thread that waits for it is woken by.
class Bell {
public:
    // Throws CannotGoOn.
    Bell();
    ~Bell();
    Bell(const Bell&) = delete;
    Bell& operator=(const Bell&) = delete;

    int descriptor() const { return descriptor_; }  // can be read from a ring to the next hush
    void ring() const;
    void hush() const;

private:
    int descriptor_;
};

class Follower {
public:
    // Throws CannotGoOn.
    explicit Follower(Source source);
    ~Follower();
    Follower(const Follower&) = delete;
    Follower& operator=(const Follower&) = delete;

    const Source& source() const { return source_; }
    // Can be read once there are news, until they are taken.
    int descriptor() const { return has_news_.descriptor(); }
    SourceNews take();
    SourceState state();
    // Waits for the first news, or for trouble, so long at most.
    void wait_for_first(std::chrono::milliseconds most);

private:
    using Clock = std::chrono::steady_clock;

    void run();
    void read_all();
    void follow();
    void meanwhile();
    void hear();
    void heard(std::int64_t revision);
    void pause();
    void post(const std::function<void(SourceNews&)>& write);

    using Changes = std::vector<std::pair<std::int64_t, SourceChange>>;  // with their revisions

    Source source_;
    Bell has_news_{};
    Bell stop_{};
    std::atomic<bool> stopping_ = false;

    EtcdClient client_;             // of the thread alone, as all that stands here
    EtcdStream* stream_ = nullptr;  // what is followed, also while the client waits for an answer
    std::optional<Changes> while_reading_{};  // what has come since all began to be read
    EtcdHeader last_{};  // 0: nothing is known yet
    Clock::time_point next_reading_{};  // of all, whether or not anything is amiss
    std::chrono::milliseconds delay_{};

    std::mutex mutex_{};
    std::condition_variable first_{};
    SourceNews news_{};
    SourceState state_{};

    std::thread thread_;  // last: it finds all others there
};

}  // namespace statnat
