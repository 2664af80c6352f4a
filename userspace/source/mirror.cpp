// SPDX-License-Identifier: GPL-2.0-or-later
#include "source/mirror.hpp"

#include "error.hpp"
#include "records/source_record.hpp"
#include "source/snapshot.hpp"

#include <algorithm>
#include <utility>

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
    if (news.all) {
        const bool differs = !pairs_ || pairs_->pairs != news.all->pairs;
        pairs_ = std::make_shared<SourceSnapshot>(std::move(*news.all));
        fresh_ = fresh_ || differs;
    }
    for (auto& [key, pair] : news.changes) {
        if (pair) {
            pairs_->pairs.insert_or_assign(key, std::move(*pair));
        } else {
            pairs_->pairs.erase(key);
        }
        fresh_ = true;
    }
    pairs_->revision = news.revision;
    if (fresh_ && !refused_.empty()) {
        next_attempt_ = {};  // what was refused may have been cured
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
    }
    keep_source(file, record);
}

std::shared_ptr<const SourceSnapshot> Mirror::ask(const Source& source) {
    asked_ = true;
    if (!follower_ || follower_->source() != source) {
        follower_.reset();
        pairs_.reset();
        follower_ = std::make_unique<Follower>(source);
        follower_->wait_for_first(longest_first_reading);
    }
    take();
    if (!pairs_) {
        throw CannotGoOn{sentence_of_away(follower_->state().trouble), exit_no_source};
    }
    return pairs_;
}

void Mirror::begin_loading() {
    asked_ = false;
    begun_ = Clock::now();
}

void Mirror::loaded(bool by_file) {
    fresh_ = fresh_ && !asked_;
    refused_.clear();
    next_report_ = {};
    next_attempt_ = Clock::now() + std::min<Clock::duration>(Clock::now() - begun_, longest_pause);
    if (by_file && !asked_) {
        follower_.reset();
        pairs_.reset();
    }
}

void Mirror::refused(std::string why) {
    refused_ = std::move(why);
    next_report_ = {};
    next_attempt_ = Clock::now() + between_attempts;
}

}  // namespace statnat
