// SPDX-License-Identifier: GPL-2.0-or-later
#include "doctor/policies.hpp"

#include "netlink/netlink.hpp"
#include "routing/parts.hpp"
#include "routing/request.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <linux/xfrm.h>

namespace statnat {
namespace {

struct Policy {
    Prefix source;
    Prefix target;
};

Prefix prefix_of(const xfrm_address_t& bytes, std::uint8_t length, Family family) {
    Address address{family, {}};
    std::copy_n(reinterpret_cast<const std::uint8_t*>(&bytes), address.size(), address.bytes.begin());
    return Prefix::of(address, std::min(length, full_length(family)));
}

// Of what goes out.
std::vector<Policy> read_policies() {
    std::vector<Policy> found;
    Netlink netlink(open_policy_socket());
    Request question(XFRM_MSG_GETPOLICY, NLM_F_DUMP, netlink.next_sequence());
    question.header<xfrm_userpolicy_id>();
    netlink.ask(question.take(), [&](Message message) {
        const auto parts = Parts<xfrm_userpolicy_info>::of(message);
        if (parts && parts->header.dir == XFRM_POLICY_OUT) {
            const xfrm_selector& selector = parts->header.sel;
            const Family family = selector.family == AF_INET ? Family::ipv4 : Family::ipv6;
            found.push_back({prefix_of(selector.saddr, selector.prefixlen_s, family),
                             prefix_of(selector.daddr, selector.prefixlen_d, family)});
        }
    });
    return found;
}

bool touch(const Prefix& one, const Prefix& other) {
    return one.address.family == other.address.family && (one.covers(other) || other.covers(one));
}

// One that is named by its internal address, and by that alone.
std::optional<Pair> named(const Policy& policy, const Pairs& pairs) {
    for (const Pair& pair : pairs) {
        if (touch(policy.source, pair.internal) && !touch(policy.source, pair.external)) {
            return pair;
        }
    }
    return std::nullopt;
}

}  // namespace

Troubles troubles_with_policies(const Pairs& pairs, const std::vector<Prefix>& exempt, const std::string& file) {
    Troubles found;
    for (const Policy& policy : read_policies()) {
        const bool is_exempt = std::any_of(exempt.begin(), exempt.end(),
                                           [&](const Prefix& one) { return one.covers(policy.target); });
        const auto pair = is_exempt ? std::nullopt : named(policy, pairs);
        if (pair) {
            found.push_back({fmt::format("IPsec's policy from {} to {} never sees {}, which has the source {} when it "
                                         "is asked: its packets leave in clear",
                                         policy.source.text(), policy.target.text(), pair->internal.short_text(),
                                         pair->external.short_text()),
                             fmt::format("{}: exempt-destinations = [\"{}\"]", file, policy.target.text())});
        }
    }
    return found;
}

}  // namespace statnat
