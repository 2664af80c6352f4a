// SPDX-License-Identifier: GPL-2.0-or-later
#include "etcd/client.hpp"

#include "error.hpp"
#include "files.hpp"
#include "printable.hpp"

#include <algorithm>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace statnat {
namespace {

// A page of a snapshot is a megabyte or two.
constexpr std::size_t most_of_an_answer = 64U << 20;
constexpr std::chrono::seconds longest_call(5);
constexpr std::size_t most_to_show = 120;

// As the end of a range.
constexpr std::string_view every_key{"\0", 1};

// Numbers of gRPC's statuses, as the gateway passes them on.
constexpr int out_of_range = 11;
constexpr int unauthenticated = 16;

std::string read_password(const std::filesystem::path& file) {
    if (file.empty()) {
        return {};
    }
    try {
        const std::string text = read_file(file);
        return text.substr(0, text.find_first_of("\r\n"));
    } catch (const std::system_error& failure) {
        throw CannotGoOn{fmt::format("password-file {} cannot be read: {}", file.string(), failure.code().message()),
                         exit_no_source};
    }
}

// A member that has nothing to say to this question, as opposed to one that is not there.
struct Refused {
    long code;
    std::string sentence;
};

bool is_compacted(const Refused& refused) {
    return refused.code == out_of_range && refused.sentence.find("compacted") != std::string::npos;
}

json_t* request_of(const char* kind, json_t* of) {
    json_t* const request = json_object();
    json_object_set_new(request, kind, of);
    return request;
}

json_t* as_put(const EtcdKey& one) {
    json_t* const put = json_object();
    put_bytes(put, "key", one.key);
    put_bytes(put, "value", one.value);
    return request_of("request_put", put);
}

json_t* as_key(const char* kind, std::string_view key) {
    json_t* const of = json_object();
    put_bytes(of, "key", key);
    return request_of(kind, of);
}

json_t* as_compare(const EtcdKey& one) {
    json_t* const compare = json_object();
    json_object_set_new(compare, "target", json_string("MOD"));
    json_object_set_new(compare, "result", json_string("EQUAL"));
    put_bytes(compare, "key", one.key);
    put_number(compare, "mod_revision", one.changed_at);
    return compare;
}

}  // namespace

EtcdHeader read_etcd_header(const json_t* answer) {
    const json_t* const header = member(answer, "header");
    return {identity_of(header, "cluster_id"), number_of(header, "revision")};
}

std::optional<EtcdKey> read_etcd_key(const json_t* key_value) {
    auto key = bytes_of(key_value, "key");
    auto value = bytes_of(key_value, "value");
    if (!key || !value || key->empty()) {
        return std::nullopt;
    }
    return EtcdKey{std::move(*key), std::move(*value), number_of(key_value, "mod_revision")};
}

std::string behind_prefix(std::string prefix) {
    while (!prefix.empty() && static_cast<unsigned char>(prefix.back()) == 0xff) {
        prefix.pop_back();
    }
    if (prefix.empty()) {
        return std::string(every_key);
    }
    prefix.back() = static_cast<char>(static_cast<unsigned char>(prefix.back()) + 1);
    return prefix;
}

EtcdClient::EtcdClient(EtcdAccess access, std::function<void()> meanwhile, int wake)
    : access_(std::move(access)), password_(read_password(access_.password_file)), request_(access_),
      transfers_(std::move(meanwhile), wake) {}

// Whatever says nothing of a revision is no etcd: what it does not have is no loss of keys.
EtcdHeader EtcdClient::header_of(const Json& answer) const {
    const EtcdHeader header = read_etcd_header(answer.get());
    if (header.revision <= 0) {
        throw EtcdAway{endpoint() + ": answers what etcd does not"};
    }
    return header;
}

EtcdKeys EtcdClient::range(std::string_view first, std::string_view end, std::size_t most, std::int64_t revision) {
    const Json body(json_object());
    put_bytes(body.get(), "key", first);
    put_bytes(body.get(), "range_end", end);
    put_number(body.get(), "limit", static_cast<std::int64_t>(most));
    put_number(body.get(), "revision", revision);
    Json answer;
    try {
        answer = call("kv/range", body);
    } catch (const Refused& refused) {
        if (is_compacted(refused)) {
            throw EtcdCompacted{};
        }
        throw EtcdAway{refused.sentence};
    }
    EtcdKeys found{header_of(answer), {}, json_is_true(member(answer.get(), "more"))};
    std::size_t index = 0;
    json_t* one = nullptr;
    json_array_foreach(member(answer.get(), "kvs"), index, one) {
        auto key = read_etcd_key(one);
        const bool is_next = key && (found.keys.empty() ? key->key >= first : key->key > found.keys.back().key);
        if (!is_next || (key->key >= end && end != every_key)) {
            throw EtcdAway{endpoint() + ": answers what etcd does not"};
        }
        found.keys.push_back(std::move(*key));
    }
    if (found.more && found.keys.empty()) {
        throw EtcdAway{endpoint() + ": says that there are more keys, and has none"};
    }
    return found;
}

// A transaction that only reads goes through the leader, as a range does: a member that has none cannot answer it.
EtcdKeys EtcdClient::get(const std::vector<std::string>& keys) {
    const Json body(json_object());
    json_t* const asked = json_array();
    json_object_set_new(body.get(), "success", asked);
    for (const std::string& key : keys) {
        json_array_append_new(asked, as_key("request_range", key));
    }
    Json answer;
    try {
        answer = call("kv/txn", body);
    } catch (const Refused& refused) {
        throw EtcdAway{refused.sentence};
    }
    EtcdKeys found{header_of(answer)};
    const json_t* const responses = member(answer.get(), "responses");
    for (std::size_t i = 0; i < keys.size(); ++i) {
        const json_t* const range = member(json_array_get(responses, i), "response_range");
        const auto key = read_etcd_key(json_array_get(member(range, "kvs"), 0));
        found.keys.push_back(key ? *key : EtcdKey{keys[i]});
    }
    return found;
}

std::optional<std::int64_t> EtcdClient::commit(const EtcdTransaction& transaction) {
    const Json body(json_object());
    json_t* const compares = json_array();
    json_t* const todo = json_array();
    json_object_set_new(body.get(), "compare", compares);
    json_object_set_new(body.get(), "success", todo);
    for (const EtcdKey& one : transaction.unless_changed) {
        json_array_append_new(compares, as_compare(one));
    }
    for (const std::string& key : transaction.deletes) {
        json_array_append_new(todo, as_key("request_delete_range", key));
    }
    for (const EtcdKey& one : transaction.puts) {
        json_array_append_new(todo, as_put(one));
    }
    try {
        const Json answer = call("kv/txn", body);
        const bool done = json_is_true(member(answer.get(), "succeeded"));
        const EtcdHeader header = header_of(answer);
        return done ? std::optional(header.revision) : std::nullopt;
    } catch (const Refused& refused) {
        throw EtcdAway{refused.sentence};
    }
}

const std::string& EtcdClient::authorization() {
    if (token_.empty() && !access_.user.empty()) {
        authenticate();
    }
    return token_;
}

// A token may be old, or of a member that has been started anew.
Json EtcdClient::call(const char* method, const Json& body) {
    const std::string text = as_text(body);
    std::vector<std::string> failures;
    for (std::size_t tried = 0; tried < access_.endpoints.size(); ++tried) {
        try {
            authorization();
            try {
                return call_member(method, text);
            } catch (const Refused& refused) {
                if (refused.code != unauthenticated || access_.user.empty()) {
                    throw;
                }
                authenticate();
                return call_member(method, text);
            }
        } catch (const HttpFailure& failure) {
            failures.push_back(failure.sentence);
        }
        current_ = (current_ + 1) % access_.endpoints.size();
        token_.clear();
    }
    throw EtcdAway{fmt::format("{}", fmt::join(failures, "; "))};
}

Json EtcdClient::call_member(const char* method, const std::string& body) {
    std::string text;
    request_.prepare(fmt::format("{}/v3/{}", endpoint(), method), body, token_, longest_call,
                     [&](std::string_view bytes) {
                         text += bytes;
                         return text.size() <= most_of_an_answer;
                     });
    const long status = transfers_.perform(request_);
    Json answer = parse_object(text);
    if (status == 200 && answer) {
        return answer;
    }
    const std::string why = answer ? text_of(answer.get(), "error") : std::string();
    const std::string beginning = text.substr(0, std::min(text.find('\n'), most_to_show));
    const std::string sentence = fmt::format("{}: {} (HTTP {})", endpoint(),
                                             why.empty() ? "not the JSON of etcd, but " + in_quotes(beginning)
                                                         : printable(why),
                                             status);
    if (status >= 500 || why.empty()) {  // it has no leader, or is none
        throw HttpFailure{sentence};
    }
    throw Refused{static_cast<long>(json_integer_value(member(answer.get(), "code"))), sentence};
}

// The password is in no sentence: of what was sent, none tells anything.
void EtcdClient::authenticate() {
    const Json body(json_object());
    json_object_set_new(body.get(), "name", json_string(access_.user.c_str()));
    json_object_set_new(body.get(), "password", json_string(password_.c_str()));
    token_.clear();
    try {
        token_ = text_of(call_member("auth/authenticate", as_text(body)).get(), "token");
    } catch (const Refused& refused) {
        throw HttpFailure{refused.sentence};
    }
}

}  // namespace statnat
