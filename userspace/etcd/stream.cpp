// SPDX-License-Identifier: GPL-2.0-or-later
#include "etcd/stream.hpp"

#include "printable.hpp"

#include <chrono>
#include <utility>

#include <fmt/format.h>

namespace statnat {
namespace {

// All that one transaction changes comes as one line.
constexpr std::size_t most_of_a_line = 64U << 20;

std::string watch_request(std::string_view first, std::string_view end, std::int64_t revision) {
    const Json body(json_object());
    json_t* const create = json_object();
    json_object_set_new(body.get(), "create_request", create);
    put_bytes(create, "key", first);
    put_bytes(create, "range_end", end);
    put_number(create, "start_revision", revision);
    return as_text(body);
}

}  // namespace

EtcdStream::EtcdStream(EtcdClient& client, std::string_view first, std::string_view end, std::int64_t revision)
    : transfers_(client.transfers()), endpoint_(client.endpoint()), body_(watch_request(first, end, revision)),
      request_(client.access()) {
    request_.prepare(endpoint_ + "/v3/watch", body_, client.authorization(), std::chrono::milliseconds(0),
                     [this](std::string_view bytes) { return read(bytes); });
    transfers_.begin(request_);
}

EtcdStream::~EtcdStream() {
    transfers_.end(request_);
}

std::vector<EtcdBatch> EtcdStream::take() {
    if (request_.has_ended() && !ended_) {
        try {
            ended_ = fmt::format("{}: ends the watch (HTTP {})", endpoint_, request_.finish());
        } catch (const HttpFailure& failure) {
            ended_ = failure.sentence;
        }
    }
    if (batches_.empty() && compacted_) {
        throw EtcdCompacted{};
    }
    if (batches_.empty() && ended_) {
        throw EtcdAway{*ended_};
    }
    return std::exchange(batches_, {});
}

bool EtcdStream::read(std::string_view bytes) {
    rest_ += bytes;
    std::size_t begin = 0;
    for (std::size_t end = rest_.find('\n'); end != std::string::npos; end = rest_.find('\n', begin)) {
        if (end != begin && !ended_ && !compacted_) {
            read_line(std::string_view(rest_).substr(begin, end - begin));
        }
        begin = end + 1;
    }
    rest_.erase(0, begin);
    return rest_.size() <= most_of_a_line;
}

void EtcdStream::read_line(std::string_view line) {
    const Json answer = parse_object(line);
    const json_t* const result = member(answer.get(), "result");
    if (!result) {
        const std::string why = text_of(member(answer.get(), "error"), "message");
        ended_ = fmt::format("{}: {}", endpoint_, why.empty() ? "not the JSON of etcd" : printable(why));
        return;
    }
    begun_ = begun_ || json_is_true(member(result, "created"));
    if (json_is_true(member(result, "canceled"))) {
        compacted_ = number_of(result, "compact_revision") != 0;
        ended_ = fmt::format("{}: ends the watch: {}", endpoint_, printable(text_of(result, "cancel_reason")));
        return;
    }
    EtcdBatch batch{read_etcd_header(result)};
    std::size_t index = 0;
    json_t* event = nullptr;
    json_array_foreach(member(result, "events"), index, event) {
        auto key = read_etcd_key(member(event, "kv"));
        if (!key) {
            ended_ = endpoint_ + ": tells what etcd does not";
            return;
        }
        batch.events.push_back({std::move(*key), text_of(event, "type") == "DELETE"});
    }
    if (!batch.events.empty()) {
        batches_.push_back(std::move(batch));
    }
}

}  // namespace statnat
