// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/choice.hpp"

#include "error.hpp"
#include "printable.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/format.h>

namespace statnat {
namespace {

constexpr std::array<std::pair<std::string_view, Order>, 4> orders{{{"internal", Order::internal},
                                                                    {"external", Order::external},
                                                                    {"packets", Order::packets},
                                                                    {"bytes", Order::bytes}}};

[[noreturn]] void refuse(std::string_view option, const std::string& text, std::string_view legal) {
    throw CannotGoOn{fmt::format("--{} is {}: legal is {}", option, in_quotes(text), legal), exit_usage};
}

Order order_of(const std::string& text) {
    const auto* found =
        std::find_if(orders.begin(), orders.end(), [&](const auto& word) { return word.first == text; });
    if (found == orders.end()) {
        refuse("sort", text, "internal, external, packets or bytes");
    }
    return found->second;
}

std::size_t number_of(const std::string& text) {
    std::size_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size() || number == 0) {
        refuse("top", text, "a number of pairs, from 1 on");
    }
    return number;
}

Prefix prefix_of(const std::string& text) {
    const auto prefix = Prefix::parse(text);
    if (!prefix) {
        refuse("within", text, "an address, or a prefix without host bits such as 10.0.0.0/8");
    }
    return *prefix;
}

Family family_of(const std::string& text) {
    if (text != "ipv4" && text != "ipv6") {
        refuse("family", text, "ipv4 or ipv6");
    }
    return text == "ipv4" ? Family::ipv4 : Family::ipv6;
}

bool meet(const Prefix& one, const Prefix& other) {
    return one.covers(other) || other.covers(one);
}

bool is_meant(const Pair& pair, const Choice& choice) {
    return (!choice.family || pair.internal.address.family == *choice.family) &&
           (!choice.within || meet(pair.internal, *choice.within) || meet(pair.external, *choice.within)) &&
           (!choice.comment || pair.comment.text().find(*choice.comment) != std::string::npos);
}

std::uint64_t both(const CountedPair& one, std::uint64_t Traffic::*number) {
    const Traffic none{};
    return one.outbound.value_or(none).*number + one.inbound.value_or(none).*number;
}

bool comes_before(const CountedPair& one, const CountedPair& other, Order order) {
    switch (order) {
    case Order::external: return one.pair.external < other.pair.external;
    case Order::packets: return both(one, &Traffic::packets) > both(other, &Traffic::packets);
    case Order::bytes: return both(one, &Traffic::bytes) > both(other, &Traffic::bytes);
    case Order::internal: break;
    }
    return false;  // as they are
}

}  // namespace

Choice read_choice(const ChoiceWords& words) {
    Choice choice{.comment = words.comment};
    choice.order = words.sort ? order_of(*words.sort) : choice.order;
    choice.top = words.top ? std::optional(number_of(*words.top)) : std::nullopt;
    choice.within = words.within ? std::optional(prefix_of(*words.within)) : std::nullopt;
    choice.family = words.family ? std::optional(family_of(*words.family)) : std::nullopt;
    return choice;
}

std::vector<CountedPair> chosen(std::vector<CountedPair> pairs, const Choice& choice) {
    std::erase_if(pairs, [&](const CountedPair& one) { return !is_meant(one.pair, choice); });
    std::stable_sort(pairs.begin(), pairs.end(), [&](const CountedPair& one, const CountedPair& other) {
        return comes_before(one, other, choice.order);
    });
    pairs.resize(std::min(pairs.size(), choice.top.value_or(pairs.size())));
    return pairs;
}

}  // namespace statnat
