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

// Whether packets on the way there keep their source.
bool is_left_alone(const Prefix& target, const Inventory& there) {
    const auto any_of = [](const std::vector<Prefix>& prefixes, auto is_meant) {
        return std::any_of(prefixes.begin(), prefixes.end(), is_meant);
    };
    const auto of_family = [&](const Prefix& one) { return one.address.family == target.address.family; };
    return any_of(there.exempt_destinations, [&](const Prefix& one) { return one.covers(target); }) ||
           (any_of(there.only_destinations, of_family) &&
            !any_of(there.only_destinations, [&](const Prefix& one) { return touch(one, target); }));
}

std::string cure(const Prefix& target, const Inventory& there, const std::string& file) {
    return there.only_destinations.empty()
               ? fmt::format("{}: exempt-destinations = [\"{}\"]", file, target.text())
               : fmt::format("{}: only-destinations without {}", file, target.text());
}

}  // namespace

Troubles troubles_with_policies(const Inventory& there, const std::string& file) {
    Troubles found;
    for (const Policy& policy : read_policies()) {
        const auto pair = is_left_alone(policy.target, there) ? std::nullopt : named(policy, there.pairs);
        if (pair) {
            found.push_back({fmt::format("IPsec's policy from {} to {} never sees {}, which has the source {} when it "
                                         "is asked: its packets leave in clear",
                                         policy.source.text(), policy.target.text(), pair->internal.short_text(),
                                         pair->external.short_text()),
                             cure(policy.target, there, file)});
        }
    }
    return found;
}

}  // namespace statnat
