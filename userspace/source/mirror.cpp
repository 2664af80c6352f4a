// SPDX-License-Identifier: GPL-2.0-or-later
#include "source/mirror.hpp"

#include "config/source_table.hpp"
#include "error.hpp"
#include "records/source_record.hpp"
#include "source/snapshot.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace statnat {
namespace {

using std::chrono::seconds;

// How long it pauses after each loading at most: else as long as that took.
constexpr std::chrono::milliseconds longest_pause(500);

constexpr seconds between_attempts(2);
constexpr seconds between_reports(1);

// A million pairs come within this; a source that is away says so sooner.
constexpr seconds longest_first_reading(60);

}  // namespace

void Mirror::look(const RunFile& record) {
    if (!follower_) {
        return;
    }
    take();
    if (Clock::now() >= next_report_) {
        next_report_ = Clock::now() + between_reports;
        report(record);
    }
}

// What was read once more and is the same is no news.
void Mirror::take() {
    SourceNews news = follower_->take();
    if (news.empty()) {
        return;
    }
    if (news.all && !pairs_) {
        pairs_ = std::make_shared<SourceSnapshot>(std::move(*news.all));
        fresh_ = true;
    } else if (news.all) {
        replace(std::move(news.all->pairs));
    }
    for (auto& [key, pair] : news.changes) {
        put(key, std::move(pair));
    }
    pairs_->revision = news.revision;
    if (fresh_ && !refused_.empty()) {
        next_attempt_ = {};  // what was refused may have been cured
    }
}

// What is as it was again was not changed: what is remembered is no more than what differs.
void Mirror::put(const std::string& key, std::optional<SourcePair> pair) {
    const auto known = pairs_->pairs.find(key);
    if (loaded_ != 0) {
        auto now = known == pairs_->pairs.end() ? std::nullopt : std::optional(known->second);
        const auto before = before_.try_emplace(key, std::move(now)).first;
        if (before->second == pair) {
            before_.erase(before);
        }
    }
    if (pair) {
        pairs_->pairs.insert_or_assign(key, std::move(*pair));
    } else if (known != pairs_->pairs.end()) {
        pairs_->pairs.erase(known);
    }
    fresh_ = true;
}

void Mirror::replace(decltype(SourceSnapshot::pairs) all) {
    std::vector<std::string> gone;
    for (const auto& [key, pair] : pairs_->pairs) {
        if (!all.contains(key)) {
            gone.push_back(key);
        }
    }
    for (const std::string& key : gone) {
        put(key, std::nullopt);
    }
    for (auto& [key, pair] : all) {
        const auto known = pairs_->pairs.find(key);
        if (known == pairs_->pairs.end() || known->second != pair) {
            put(key, std::move(pair));
        }
    }
}

// Who has cleared everything wants to know nothing of it any more.
void Mirror::report(const RunFile& file) const {
    auto record = recall_source(file);
    if (!record) {
        return;
    }
    const SourceState state = follower_->state();
    record->heard_at = state.heard_at.value_or(record->heard_at);
    record->endpoint = state.endpoint.empty() ? record->endpoint : state.endpoint;
    record->trouble = state.trouble;
    record->refused = refused_;
    if (pairs_ && !fresh_) {
        record->loaded = pairs_->revision;
        record->removed = removed_of(*pairs_);
    }
    keep_source(file, record);
}

std::shared_ptr<const SourceSnapshot> Mirror::ask(const Source& source) {
    asked_ = Asked::for_all;
    if (!follower_ || follower_->source() != source) {
        forget();
        follower_ = std::make_unique<Follower>(source);
        follower_->wait_for_first(longest_first_reading);
    }
    take();
    if (!pairs_) {
        throw CannotGoOn{sentence_of_away(follower_->state().trouble), exit_no_source};
    }
    return pairs_;
}

std::shared_ptr<const SourceSnapshot> Mirror::ask_loaded(const Source& source) {
    if (loaded_ == 0 || follower_->source() != source) {
        return ask(source);
    }
    asked_ = Asked::for_loaded;
    if (before_.empty()) {
        return pairs_;
    }
    const auto loaded = std::make_shared<SourceSnapshot>(*pairs_);
    loaded->revision = loaded_;
    for (const auto& [key, pair] : before_) {
        if (pair) {
            loaded->pairs.insert_or_assign(key, *pair);
        } else {
            loaded->pairs.erase(key);
        }
    }
    return loaded;
}

void Mirror::begin_loading() {
    asked_ = Asked::for_nothing;
    begun_ = Clock::now();
}

void Mirror::loaded(bool by_file) {
    next_report_ = {};
    next_attempt_ = std::max(next_attempt_,
                             Clock::now() + std::min<Clock::duration>(Clock::now() - begun_, longest_pause));
    if (by_file && asked_ == Asked::for_all) {
        fresh_ = false;
        refused_.clear();
        before_.clear();
        loaded_ = pairs_->revision;
    } else if (by_file && asked_ == Asked::for_nothing) {
        forget();
    }
}

void Mirror::forget() {
    follower_.reset();
    pairs_.reset();
    before_.clear();
    loaded_ = 0;
    fresh_ = false;
    refused_.clear();
}

void Mirror::refused(std::string why) {
    refused_ = std::move(why);
    next_report_ = {};
    next_attempt_ = Clock::now() + between_attempts;
}

}  // namespace statnat
