// SPDX-License-Identifier: GPL-2.0-or-later
// A kernel that holds a ruleset and answers what it is asked, without changing it.
#pragma once

#include "actual/kernel.hpp"
#include "fake_socket.hpp"
#include "ruleset/plan.hpp"
#include "wire/encoder.hpp"
#include "wire/questions.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <functional>
#include <memory>
#include <string>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

namespace statnat::fake {

inline int kind_of(Message message) {
    return header_of(message).nlmsg_type & 0xff;
}

// What stands in the attribute that names a map.
inline std::string map_of(Message message) {
    std::string name;
    for (std::size_t at = sizeof(nlmsghdr) + 4; at + sizeof(nlattr) <= message.size();) {
        nlattr attribute{};
        std::memcpy(&attribute, &message[at], sizeof attribute);
        if (attribute.nla_type == NFTA_SET_ELEM_LIST_SET) {
            name = reinterpret_cast<const char*>(&message[at + sizeof attribute]);
        }
        at += NLA_ALIGN(attribute.nla_len);
    }
    return name;
}

class Holder {
public:
    explicit Holder(const Ruleset& ruleset) { hold(ruleset); }

    int dumps = 0;      // of the elements of a map, to their end
    bool full = false;  // no map has room
    // What becomes of an answer on its way.
    std::function<Replies(Message question, Replies answer)> deliver = [](Message, Replies answer) { return answer; };

    void hold(const Ruleset& ruleset) {
        ruleset_ = ruleset;
        // The form of what is dumped is that of the batch that makes it.
        batch_ = encode(plan(ruleset, {}), "statnat", 1, 1).bytes;
    }

    statnat::Kernel kernel(Progress& progress) {
        const auto talk = [this] {
            return std::make_unique<FakeSocket>([this](Message datagram) {
                return deliver(datagram, answer(datagram));
            });
        };
        return {{talk, talk}, {}, progress, std::chrono::seconds(0)};
    }

private:
    Replies answer(Message question) {
        const nlmsghdr header = header_of(question);
        if (header.nlmsg_type == NFNL_MSG_BATCH_BEGIN) {
            return answer_batch(question);
        }
        switch (kind_of(question)) {
        case NFT_MSG_GETGEN: {
            const Bytes generation{NFPROTO_UNSPEC, 0, 0, 0, 8, 0, NFTA_GEN_ID, 0, 0, 0, 0, 7};
            return {message((NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_NEWGEN, 0, header.nlmsg_seq, generation),
                    acknowledgement(header.nlmsg_seq)};
        }
        case NFT_MSG_GETTABLE:
            return all(NFT_MSG_NEWTABLE, question, acknowledgement(header.nlmsg_seq));
        case NFT_MSG_GETSET:
            return all(NFT_MSG_NEWSET, question, done(header.nlmsg_seq));
        case NFT_MSG_GETCHAIN:
            return all(NFT_MSG_NEWCHAIN, question, done(header.nlmsg_seq));
        case NFT_MSG_GETRULE:
            return all(NFT_MSG_NEWRULE, question, done(header.nlmsg_seq));
        default:
            return header.nlmsg_flags & NLM_F_DUMP ? dump(question) : one(question);
        }
    }

    Replies all(int type, Message question, const Bytes& end) const {
        Replies replies;
        for (const Message message : split(batch_)) {
            if (kind_of(message) == type && message[sizeof(nlmsghdr)] == question[sizeof(nlmsghdr)]) {
                replies.emplace_back(numbered(message, question));
            }
        }
        if (replies.empty() && type == NFT_MSG_NEWTABLE) {
            return {acknowledgement(header_of(question).nlmsg_seq, ENOENT)};
        }
        replies.emplace_back(end);
        return replies;
    }

    static Bytes numbered(Message message, Message question) {
        Bytes bytes(message.begin(), message.end());
        reinterpret_cast<nlmsghdr*>(bytes.data())->nlmsg_seq = header_of(question).nlmsg_seq;
        return bytes;
    }

    Replies dump(Message question) {
        ++dumps;
        Replies replies;
        for (const Message message : split(batch_)) {
            if (kind_of(message) == NFT_MSG_NEWSETELEM && message[sizeof(nlmsghdr)] == question[sizeof(nlmsghdr)] &&
                map_of(message) == map_of(question)) {
                replies.emplace_back(numbered(message, question));
            }
        }
        replies.emplace_back(done(header_of(question).nlmsg_seq));
        return replies;
    }

    // The key is found by what the question for it would be.
    Replies one(Message question) const {
        const std::uint32_t sequence = header_of(question).nlmsg_seq;
        for (const Table& table : ruleset_) {
            for (const Map& map : table.maps) {
                for (std::size_t i = 0; i < map.elements.size() && map.name == map_of(question); ++i) {
                    const Bytes same = ask_element(table.family, "statnat", map.name, map.elements.key(i), sequence);
                    if (std::equal(same.begin(), same.end(), question.begin(), question.end())) {
                        statnat::Map single{.name = map.name, .values = map.values, .elements = {map.elements[i]}};
                        const Bytes bytes = encode({AddElements{table.family, single}}, "statnat", 1, 1).bytes;
                        return {numbered(split(bytes)[1], question), acknowledgement(sequence)};
                    }
                }
            }
        }
        return {acknowledgement(sequence, ENOENT)};
    }

    Replies answer_batch(Message batch) const {
        Replies replies;
        for (const Message message : split(batch)) {
            if (full && kind_of(message) == NFT_MSG_NEWSETELEM) {
                return {acknowledgement(header_of(message).nlmsg_seq, ENFILE)};
            }
            if (header_of(message).nlmsg_flags & NLM_F_ACK) {
                replies.emplace_back(acknowledgement(header_of(message).nlmsg_seq));
            }
        }
        return replies;
    }

    Ruleset ruleset_;
    Bytes batch_;
};

}  // namespace statnat::fake
