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

// What has come since it was asked last. Changes are newer than all that are there.
struct SourceNews {
    std::optional<SourceSnapshot> all{};
    std::vector<std::pair<std::string, std::optional<SourcePair>>> changes{};  // by the internal side; nothing: gone
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

class Follower {
public:
    // Throws CannotGoOn.
    explicit Follower(Source source);
    ~Follower();
    Follower(const Follower&) = delete;
    Follower& operator=(const Follower&) = delete;

    const Source& source() const { return source_; }
    // Can be read once there are news, until they are taken.
    int descriptor() const { return news_descriptor_; }
    SourceNews take();
    SourceState state();
    // Waits for the first news, or for trouble, so long at most.
    void wait_for_first(std::chrono::milliseconds most);

private:
    using Clock = std::chrono::steady_clock;

    void run();
    void read_all();
    void follow();
    void hear(EtcdStream& stream);
    void heard(std::int64_t revision);
    void pause();
    void post(const std::function<void(SourceNews&)>& write);

    Source source_;
    EtcdClient client_;  // of the thread alone, as all that stands here
    EtcdHeader last_{};  // 0: nothing is known yet
    Clock::time_point next_reading_{};  // of all, whether or not anything is amiss
    std::chrono::milliseconds delay_{};

    std::mutex mutex_{};
    std::condition_variable first_{};
    SourceNews news_{};
    SourceState state_{};

    int news_descriptor_;
    int stop_descriptor_;
    std::atomic<bool> stopping_ = false;
    std::thread thread_;  // last: it finds all others there
};

}  // namespace statnat
