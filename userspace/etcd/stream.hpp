// SPDX-License-Identifier: GPL-2.0-or-later
// What becomes of keys, told by etcd as it happens: a watch from a revision on.
#pragma once

#include "etcd/client.hpp"
#include "etcd/transfers.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace statnat {

struct EtcdEvent {
    EtcdKey key;
    bool gone = false;
};

// Of whole revisions: all that a transaction changed is in one.
struct EtcdBatch {
    EtcdHeader header{};
    std::vector<EtcdEvent> events{};
};

class EtcdStream {
public:
    // Of the member that has answered `client` last. Throws EtcdAway.
    EtcdStream(EtcdClient& client, std::string_view first, std::string_view end, std::int64_t revision);
    ~EtcdStream();
    EtcdStream(const EtcdStream&) = delete;
    EtcdStream& operator=(const EtcdStream&) = delete;

    // What has come in turns of the client's transfers, in its order. Once that is taken and there is no more to come,
    // throws EtcdAway; or EtcdCompacted, where what became of the keys is forgotten.
    std::vector<EtcdBatch> take();

    // Its member has begun to tell.
    bool has_begun() const { return begun_; }
    const std::string& endpoint() const { return endpoint_; }

private:
    bool read(std::string_view bytes);
    void read_line(std::string_view line);

    Transfers& transfers_;
    std::string endpoint_;
    std::string body_;
    HttpRequest request_;
    std::string rest_{};  // of a line
    bool begun_ = false;
    bool compacted_ = false;
    std::optional<std::string> ended_{};  // why
    std::vector<EtcdBatch> batches_{};
};

}  // namespace statnat
