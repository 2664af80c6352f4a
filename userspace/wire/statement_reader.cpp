// SPDX-License-Identifier: GPL-2.0-or-later
// What may differ in a dump that still is the same.
#include "wire/statement_reader.hpp"

#include "wire/snat_stateless.hpp"
#include "wire/statement_writer.hpp"
#include "wire/wire.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <linux/netfilter/nft_snat_stateless.h>

namespace statnat {

namespace {

// One expression of a rule.
struct Expression {
    std::string name;
    Attributes data;
};

std::vector<Expression> expressions_in(Message list) {
    std::vector<Expression> found;
    for_each_item(list, [&](Message item) {
        const Attributes attributes(item.data(), item.size());
        found.push_back({attributes.text(NFTA_EXPR_NAME), attributes.nest(NFTA_EXPR_DATA)});
    });
    return found;
}

bool all_zero(Message bytes) {
    return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte == 0; });
}

// Not what an expression does, but what it has seen.
bool is_measurement(const std::string& expression, std::size_t attribute) {
    if (expression == NFT_SNAT_STATELESS_NAME) {
        return is_seen_by_snat_stateless(attribute);
    }
    return expression == "counter";
}

// Whether an attribute that we do not write leaves the expression what it is: the kernel also tells defaults, which
// are zero. But a register that is zero is the verdict's, and a lookup into that one is another lookup.
bool is_default(const std::string& expression, std::size_t attribute, Message value) {
    return all_zero(value) && !(expression == "lookup" && attribute == NFTA_LOOKUP_DREG);
}

// Of an immediate: a verdict is nested twice, and only libmnl flags what is nested, so that bytes do not compare.
std::uint32_t verdict_in(const Attributes& data) {
    return data.nest(NFTA_IMMEDIATE_DATA).nest(NFTA_DATA_VERDICT).number(NFTA_VERDICT_CODE);
}

// Whether the kernel's expression is the written one.
bool same(const Expression& dumped, const Expression& written) {
    if (dumped.name == "immediate" && written.name == "immediate") {
        return verdict_in(dumped.data) == verdict_in(written.data);
    }
    bool equal = dumped.name == written.name;
    written.data.for_each([&](std::size_t attribute, Message value) {
        const Message other = dumped.data.bytes(attribute);
        equal = equal && (is_measurement(written.name, attribute) ||
                          std::equal(value.begin(), value.end(), other.begin(), other.end()));
    });
    dumped.data.for_each([&](std::size_t attribute, Message value) {
        equal = equal && (written.data.has(attribute) || is_measurement(written.name, attribute) ||
                          is_default(written.name, attribute, value));
    });
    return equal;
}

// How many of the expressions at the front are exactly what is written for `statement`; 0 if it is another one.
std::size_t length_as(const Statement& statement, std::span<const Expression> dumped, Family family, Ranges ranges) {
    std::vector<char> scratch(scratch_size);
    nlmsghdr* message = mnl_nlmsg_put_header(scratch.data());
    put(message, statement, family, {}, ranges);
    const Message list(static_cast<const std::uint8_t*>(mnl_nlmsg_get_payload(message)),
                       mnl_nlmsg_get_payload_len(message));
    const std::vector<Expression> written = expressions_in(list);
    const bool equal = written.size() <= dumped.size() &&
                       std::equal(written.begin(), written.end(), dumped.begin(),
                                  [](const Expression& ours, const Expression& theirs) { return same(theirs, ours); });
    return equal ? written.size() : 0;
}

// What the expression at `position` compares a register with, if it is of that name and that is one byte.
std::optional<std::uint8_t> byte_of(std::span<const Expression> dumped, std::size_t position, std::string_view name,
                                    std::size_t attribute) {
    if (position >= dumped.size() || dumped[position].name != name) {
        return {};
    }
    const Message value = dumped[position].data.nest(attribute).bytes(NFTA_DATA_VALUE);
    return value.size() == 1 ? std::optional(value[0]) : std::nullopt;
}

// What is left out where the first bytes of an address are compared, which may be either of a packet's.
std::vector<Statement> outside(Family family, const Expression& compare, int length) {
    const Message value = compare.data.nest(NFTA_CMP_DATA).bytes(NFTA_DATA_VALUE);
    Address address{family, {}};
    if (value.size() > address.size() || length > full_length(family)) {
        return {};
    }
    std::copy(value.begin(), value.end(), address.bytes.begin());
    const Prefix prefix{address, static_cast<std::uint8_t>(length)};
    return {MatchOutside{Field::source, prefix}, MatchOutside{Field::destination, prefix}};
}

std::vector<Statement> outside_of_bits(std::span<const Expression> dumped, Family family) {
    const Message mask = dumped[1].data.nest(NFTA_BITWISE_MASK).bytes(NFTA_DATA_VALUE);
    int length = 0;
    for (const std::uint8_t byte : mask) {
        length += std::popcount(byte);
    }
    return outside(family, dumped[2], length);
}

std::vector<Statement> outside_of_bytes(std::span<const Expression> dumped, Family family) {
    const std::size_t bytes = dumped[1].data.nest(NFTA_CMP_DATA).bytes(NFTA_DATA_VALUE).size();
    return outside(family, dumped[1], static_cast<int>(8 * bytes));
}

// Of an address, whole or not, or of what an ICMP error quotes.
std::vector<Statement> of_compared_bytes(std::span<const Expression> dumped, Family family) {
    std::vector<Statement> found = outside_of_bytes(dumped, family);
    const Message value = dumped[1].data.nest(NFTA_CMP_DATA).bytes(NFTA_DATA_VALUE);
    Address address{family, {}};
    if (value.size() == address.size()) {
        std::copy(value.begin(), value.end(), address.bytes.begin());
        found.insert(found.end(), {MatchHost{Field::source, address}, MatchHost{Field::destination, address}});
    }
    found.push_back(MatchBytes{dumped[0].data.number(NFTA_PAYLOAD_OFFSET), {value.begin(), value.end()}});
    return found;
}

// By the protocol that the second expression compares with, and the port that the fourth does.
std::vector<Statement> services(std::span<const Expression> dumped) {
    std::vector<Statement> found;
    const auto protocol = byte_of(dumped, 1, "cmp", NFTA_CMP_DATA);
    if (protocol && dumped.size() >= 4 && dumped[3].name == "cmp") {
        const Message value = dumped[3].data.nest(NFTA_CMP_DATA).bytes(NFTA_DATA_VALUE);
        if (value.size() == 2) {
            const auto port = static_cast<std::uint16_t>(value[0] << 8 | value[1]);
            found.insert(found.end(), {MatchService{*protocol, Field::source, port},
                                       MatchService{*protocol, Field::destination, port}});
        }
    }
    if (protocol && dumped.size() >= 3 && dumped[2].name == "immediate") {  // else it is the protocol of something else
        found.push_back(MatchService{*protocol, Field::source});
    }
    return found;
}

std::vector<Statement> lookups(const std::string& set) {
    std::vector<Statement> found;
    for (const Field field : {Field::source, Field::destination}) {
        found.insert(found.end(),
                     {SetAddress{field, set}, MatchAddress{field, set, false}, MatchAddress{field, set, true}});
    }
    return found;
}

// What the second expression compares with, which may be the name of an interface; one that is not whole ends in an
// asterisk.
std::vector<Statement> interfaces(std::span<const Expression> dumped) {
    if (dumped.size() < 2 || dumped[1].name != "cmp") {
        return {};
    }
    const Message value = dumped[1].data.nest(NFTA_CMP_DATA).bytes(NFTA_DATA_VALUE);
    std::string name(value.begin(), std::find(value.begin(), value.end(), 0));
    if (name.size() == value.size()) {
        name += '*';
    }
    using Way = MatchInterface::Way;
    return {MatchInterface{Way::in, name}, MatchInterface{Way::out, name}, MatchInterface{Way::route, name}};
}

// Of where an address is, or what it is.
std::vector<Statement> of_fib(std::span<const Expression> dumped) {
    if (dumped.size() >= 2 && dumped[1].name == "lookup") {
        return {AskStanding{dumped[1].data.text(NFTA_LOOKUP_SET)}};
    }
    std::vector<Statement> found = interfaces(dumped);
    for (const Field field : {Field::source, Field::destination}) {
        found.insert(found.end(), {MatchAddressType{field, MatchAddressType::Type::unicast},
                                   MatchAddressType{field, MatchAddressType::Type::local}});
    }
    return found;
}

// Of the interface, of the mark, or of an ICMP type behind the protocol.
std::vector<Statement> of_meta(std::span<const Expression> dumped) {
    if (dumped.size() >= 2 && dumped[1].name == "lookup") {
        return {AskStanding{dumped[1].data.text(NFTA_LOOKUP_SET)}};
    }
    std::vector<Statement> found = interfaces(dumped);
    found.insert(found.end(), {MatchForwarded{true}, MatchForwarded{false}});
    if (dumped.size() >= 3 && dumped[1].name == "bitwise") {
        const auto bits = [&](std::size_t of) {
            const Message bytes = dumped[1].data.nest(of).bytes(NFTA_DATA_VALUE);
            std::uint32_t number = 0;
            std::memcpy(&number, bytes.data(), std::min(bytes.size(), sizeof number));
            return number;
        };
        found.insert(found.end(), {SetMark{bits(NFTA_BITWISE_XOR)}, ClearMark{~bits(NFTA_BITWISE_MASK)},
                                   MatchMark{bits(NFTA_BITWISE_MASK)}});
    }
    const auto one = byte_of(dumped, 3, "cmp", NFTA_CMP_DATA);
    const auto other = byte_of(dumped, 4, "cmp", NFTA_CMP_DATA);
    const auto first = byte_of(dumped, 3, "range", NFTA_RANGE_FROM_DATA);
    const auto last = byte_of(dumped, 3, "range", NFTA_RANGE_TO_DATA);
    if (first && last) {
        found.push_back(MatchIcmpType{*first, *last});
    }
    if (one && other) {
        found.push_back(MatchIcmpType{*one, *other});
    }
    if (one) {
        found.push_back(MatchIcmpType{*one, *one});
    }
    const std::vector<Statement> others = services(dumped);
    found.insert(found.end(), others.begin(), others.end());
    return found;
}

// What the expressions at the front could be, most specific first; length_as() decides.
std::vector<Statement> candidates(std::span<const Expression> dumped, Family family) {
    const std::string& name = dumped.front().name;
    if (name == NFT_SNAT_STATELESS_NAME) {
        const auto statement = snat_stateless_in(dumped.front().data);
        return statement ? std::vector<Statement>{*statement} : std::vector<Statement>{};
    }
    if (name == "counter") {
        return {Counter{}};
    }
    if (name == "notrack") {
        return {Notrack{}};
    }
    if (name == "ct") {
        return {MatchUntracked{}};
    }
    if (name == "immediate") {
        return {Drop{}, Accept{}};
    }
    if (name == "fib") {
        return of_fib(dumped);
    }
    if (name == "payload" && dumped.size() >= 3 && dumped[1].name == "bitwise") {
        std::vector<Statement> found = outside_of_bits(dumped, family);
        found.emplace_back(MatchBeginning{});
        return found;
    }
    if (name == "payload" && dumped.size() >= 2 && dumped[1].name == "cmp") {
        return of_compared_bytes(dumped, family);
    }
    if (name == "payload" && dumped.size() >= 2 && dumped[1].name == "lookup") {
        return lookups(dumped[1].data.text(NFTA_LOOKUP_SET));
    }
    if (name == "payload" && dumped.size() >= 2 && dumped[1].name == "nat") {
        return {KeepSource{}};
    }
    if (name == "meta") {
        return of_meta(dumped);
    }
    return {};
}

// Takes one statement off the front.
Statement fold(std::span<const Expression>& dumped, Family family) {
    for (const Statement& statement : candidates(dumped, family)) {
        for (const Ranges ranges : {Ranges::two_comparisons, Ranges::one_expression}) {
            if (const std::size_t length = length_as(statement, dumped, family, ranges)) {
                dumped = dumped.subspan(length);
                return statement;
            }
        }
    }
    Foreign foreign{dumped.front().name};
    dumped = dumped.subspan(1);
    return foreign;
}

}  // namespace

Rule rule_in(Message list, Family family) {
    const std::vector<Expression> expressions = expressions_in(list);
    Rule rule;
    for (std::span<const Expression> rest = expressions; !rest.empty();) {
        rule.statements.push_back(fold(rest, family));
    }
    for (const Expression& expression : expressions) {
        if (expression.name == "counter") {
            const Traffic traffic = traffic_in(expression.data);
            rule.traffic.packets += traffic.packets;
            rule.traffic.bytes += traffic.bytes;
        } else if (expression.name == NFT_SNAT_STATELESS_NAME) {
            rule.dropped += dropped_in(expression.data);
            rule.counts = counts_in(expression.data);
        }
    }
    return rule;
}

}  // namespace statnat
