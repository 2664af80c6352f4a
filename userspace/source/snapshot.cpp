// SPDX-License-Identifier: GPL-2.0-or-later
#include "source/snapshot.hpp"

#include "error.hpp"
#include "source/value.hpp"

#include <string>

#include <fmt/format.h>

namespace statnat {
namespace {

// A page of hosts is a megabyte or two, which etcd answers in some ten milliseconds.
constexpr std::size_t page = 10000;

// More than etcd holds as its makers advise, and what fits into memory.
constexpr std::size_t most_pairs = 16U << 20;

// Whoever is overtaken by compaction so often reads too slowly for this cluster.
constexpr int most_attempts = 5;

std::pair<EtcdHeader, SourceSnapshot> read_pages(EtcdClient& client, const std::string& prefix, const TellPages& tell) {
    const std::string end = behind_prefix(prefix);
    std::string first = prefix;
    SourceSnapshot snapshot;
    EtcdHeader header;
    for (bool more = true; more;) {
        const EtcdKeys found = client.range(first, end, page, snapshot.revision);
        if (snapshot.revision == 0) {
            header = found.header;
            snapshot.revision = header.revision;
        }
        if (found.header.cluster != header.cluster) {
            throw EtcdCompacted{};  // another one's revision
        }
        if (snapshot.pairs.size() + found.keys.size() > most_pairs) {
            throw EtcdAway{client.endpoint() + ": has more pairs than a gateway could"};
        }
        for (const EtcdKey& one : found.keys) {
            if (!one.key.starts_with(prefix)) {
                throw EtcdAway{client.endpoint() + ": answers with keys that it was not asked for"};
            }
            snapshot.pairs.emplace_hint(snapshot.pairs.end(), one.key.substr(prefix.size()), read_value(one.value));
        }
        more = found.more && !found.keys.empty();
        if (more) {
            first = found.keys.back().key + '\0';
        }
        if (tell) {
            tell(snapshot.pairs.size());
        }
    }
    return {header, std::move(snapshot)};
}

}  // namespace

std::pair<EtcdHeader, SourceSnapshot> read_snapshot(EtcdClient& client, const std::string& prefix,
                                                    const TellPages& tell) {
    for (int attempt = 0; attempt < most_attempts; ++attempt) {
        try {
            return read_pages(client, prefix, tell);
        } catch (const EtcdCompacted&) {
        }
    }
    throw EtcdAway{client.endpoint() + ": forgets revisions while they are read (compaction)"};
}

std::string sentence_of_away(const std::string& why) {
    return fmt::format("the source of pairs does not answer: {}", why);
}

std::shared_ptr<const SourceSnapshot> read_source(const Source& source, const TellPages& tell) {
    try {
        EtcdClient client(source.etcd);
        return std::make_shared<const SourceSnapshot>(read_snapshot(client, source.prefix, tell).second);
    } catch (const EtcdAway& away) {
        throw CannotGoOn{sentence_of_away(away.sentence) + "; nothing has been done", exit_no_source};
    } catch (const HttpFailure& failure) {
        throw CannotGoOn{sentence_of_away(failure.sentence) + "; nothing has been done", exit_no_source};
    }
}

}  // namespace statnat
