// SPDX-License-Identifier: GPL-2.0-or-later
// What etcd (version 3, by its JSON gateway) is asked: keys, transactions, and what becomes of keys.
#pragma once

#include "etcd/access.hpp"
#include "etcd/json.hpp"
#include "etcd/request.hpp"
#include "etcd/transfers.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace statnat {

// No member answers, or none that has a leader; or what answers is no etcd that would do.
struct EtcdAway {
    std::string sentence;
};

// It has forgotten what was at that revision.
struct EtcdCompacted {};

// Which cluster says so, and at which revision it was then.
struct EtcdHeader {
    std::uint64_t cluster = 0;
    std::int64_t revision = 0;
};

struct EtcdKey {
    std::string key;
    std::string value{};
    std::int64_t changed_at = 0;  // the revision; 0: it is not there
};

struct EtcdKeys {
    EtcdHeader header{};
    std::vector<EtcdKey> keys{};
    bool more = false;  // behind the last of them
};

// All keys that begin so are those from it on and before this one.
std::string behind_prefix(std::string prefix);

// What is done at once or not at all: nothing, where a key is not as it was.
struct EtcdTransaction {
    std::vector<EtcdKey> unless_changed{};  // since `changed_at`; values do not matter
    std::vector<EtcdKey> puts{};
    std::vector<std::string> deletes{};
};

// etcd's own limit for each list of a transaction, unless it was started with another one (--max-txn-ops).
inline constexpr std::size_t most_in_transaction = 128;

class EtcdClient {
public:
    // Reads the password; throws CannotGoOn where it cannot, or there is no libcurl. For the rest, see Transfers.
    explicit EtcdClient(EtcdAccess access, std::function<void()> meanwhile = {}, int wake = -1);

    // Keys from `first` on and before `end`, ascending, `most` of them at most; at a revision, or 0: the present one.
    // Throws EtcdAway, and EtcdCompacted.
    EtcdKeys range(std::string_view first, std::string_view end, std::size_t most, std::int64_t revision = 0);

    // Some keys, at one revision; those that are not there, too. Throws EtcdAway.
    EtcdKeys get(const std::vector<std::string>& keys);

    // The revision that it led to; nothing: it was not done. Where etcd is said to be away, it may have been. Throws
    // EtcdAway.
    std::optional<std::int64_t> commit(const EtcdTransaction& transaction);

    // Whether it has a leader and goes on, by a read of a key that need not be there. Throws EtcdAway.
    EtcdHeader ask(const std::string& key) { return get({key}).header; }

    // Whoever answered last, as in "https://10.0.0.1:2379".
    const std::string& endpoint() const { return access_.endpoints[current_]; }
    const EtcdAccess& access() const { return access_; }
    Transfers& transfers() { return transfers_; }
    // What requests to that member have to say about who asks; asks for it anew where it was not asked for yet.
    const std::string& authorization();

private:
    Json call(const char* method, const Json& body);
    Json call_member(const char* method, const std::string& body);
    EtcdHeader header_of(const Json& answer) const;
    void authenticate();

    EtcdAccess access_;
    std::string password_{};
    HttpRequest request_;
    Transfers transfers_;
    std::size_t current_ = 0;  // of the endpoints
    std::string token_{};
};

// What both clients and streams read of answers.
EtcdHeader read_etcd_header(const json_t* answer);
std::optional<EtcdKey> read_etcd_key(const json_t* key_value);

}  // namespace statnat
