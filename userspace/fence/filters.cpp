// SPDX-License-Identifier: GPL-2.0-or-later
#include "fence/filters.hpp"

#include "error.hpp"
#include "routing/classifier.hpp"
#include "routing/parts.hpp"
#include "routing/request.hpp"

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string_view>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <net/if.h>

namespace statnat {
namespace {

constexpr std::uint32_t way_in = TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS);
constexpr std::uint32_t way_out = TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS);
constexpr std::uint32_t first_of_all = 1;  // its preference
constexpr std::uint32_t our_number = 83;   // among filters of the same preference
constexpr std::string_view holder("clsact\0", 7);
constexpr std::string_view kind("bpf\0", 4);
constexpr std::string_view name_prefix = "statnat drops fwmark ";

std::string name_of(const Filter& filter) {
    return fmt::format("{}{:#x}", name_prefix, filter.mark);
}

// With no opinion about all others, which go on to the filters of others.
std::array<bpf_insn, 6> program(const Filter& filter) {
    constexpr std::uint8_t load = BPF_LDX | BPF_MEM | BPF_W;
    constexpr std::uint8_t mask = BPF_ALU | BPF_AND | BPF_K;
    constexpr std::uint8_t set = BPF_ALU64 | BPF_MOV | BPF_K;
    constexpr std::uint8_t leave_if_not = BPF_JMP | BPF_JNE | BPF_K;
    const auto bits = static_cast<std::int32_t>(filter.mark);
    return {{
        {.code = load, .dst_reg = BPF_REG_2, .src_reg = BPF_REG_1, .off = offsetof(__sk_buff, mark), .imm = 0},
        {.code = mask, .dst_reg = BPF_REG_2, .src_reg = 0, .off = 0, .imm = bits},
        {.code = set, .dst_reg = BPF_REG_0, .src_reg = 0, .off = 0, .imm = TC_ACT_SHOT},
        {.code = leave_if_not, .dst_reg = BPF_REG_2, .src_reg = 0, .off = 1, .imm = 0},
        {.code = set, .dst_reg = BPF_REG_0, .src_reg = 0, .off = 0, .imm = TC_ACT_UNSPEC},
        {.code = BPF_JMP | BPF_EXIT, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0},
    }};
}

std::string_view text_in(const Attributes& attributes, std::uint16_t type) {
    const Message bytes = attributes.bytes(type);
    const auto* text = reinterpret_cast<const char*>(bytes.data());
    return {text, bytes.empty() ? 0 : ::strnlen(text, bytes.size())};
}

[[noreturn]] void refuse(const Filter& filter, int error) {
    const std::string why = error == EPERM ? "it needs CAP_NET_ADMIN and CAP_BPF" : std::strerror(error);
    throw CannotGoOn{fmt::format("cannot add the {}: {}: fail-closed beside external-interfaces needs tc's bpf filter "
                                 "(CONFIG_NET_CLS_BPF) and the queueing discipline clsact in place of ingress",
                                 filter.text(), why)};
}

int say(Netlink& netlink, Request& request) {
    const Answer answer = netlink.ask(request.take(), [](Message) {});
    return answer.refusal ? answer.refusal->error : 0;
}

tcmsg& head(Request& request, unsigned link) {
    auto& header = request.header<tcmsg>();
    header.tcm_family = AF_UNSPEC;
    header.tcm_ifindex = static_cast<int>(link);
    return header;
}

int say_of_holder(Netlink& netlink, std::uint16_t type, unsigned flags, unsigned link) {
    Request request(type, flags, netlink.next_sequence());
    auto& header = head(request, link);
    header.tcm_parent = TC_H_CLSACT;
    header.tcm_handle = TC_H_MAKE(TC_H_CLSACT, 0);
    request.put(TCA_KIND, holder);
    return say(netlink, request);
}

void head_of_ours(Request& request, unsigned link) {
    auto& header = head(request, link);
    header.tcm_parent = way_out;
    header.tcm_handle = our_number;
    header.tcm_info = TC_H_MAKE(first_of_all << 16, htons(ETH_P_ALL));
    request.put(TCA_KIND, kind);
}

template <typename Visit>
void for_each_filter(Netlink& netlink, unsigned link, std::uint32_t way, Visit visit) {
    Request question(RTM_GETTFILTER, NLM_F_DUMP, netlink.next_sequence());
    head(question, link).tcm_parent = way;
    netlink.ask(question.take(), [&](Message message) {
        const auto filter = Parts<tcmsg>::of(message);
        if (filter && text_in(filter->attributes, TCA_KIND) != "" && filter->header.tcm_handle != 0) {
            visit(*filter);
        }
    });
}

std::vector<unsigned> links_with_holder(Netlink& netlink) {
    std::vector<unsigned> links;
    Request question(RTM_GETQDISC, NLM_F_DUMP, netlink.next_sequence());
    head(question, 0);
    netlink.ask(question.take(), [&](Message message) {
        const auto discipline = Parts<tcmsg>::of(message);
        if (discipline && text_in(discipline->attributes, TCA_KIND) == "clsact") {
            links.push_back(static_cast<unsigned>(discipline->header.tcm_ifindex));
        }
    });
    return links;
}

}  // namespace

std::vector<std::string> interfaces_there() {
    std::vector<std::string> names;
    const std::unique_ptr<struct if_nameindex, decltype(&::if_freenameindex)> all(::if_nameindex(),
                                                                                   ::if_freenameindex);
    for (const struct if_nameindex* one = all.get(); one && one->if_index != 0; ++one) {
        names.emplace_back(one->if_name);
    }
    return names;
}

std::set<Filter> filters_there(Netlink& netlink) {
    std::set<Filter> found;
    for (const unsigned link : links_with_holder(netlink)) {
        std::array<char, IF_NAMESIZE> name{};
        if (!::if_indextoname(link, name.data())) {
            continue;  // gone meanwhile
        }
        for_each_filter(netlink, link, way_out, [&](const Parts<tcmsg>& filter) {
            const Attributes options = filter.attributes.nest(TCA_OPTIONS);
            const std::string called(text_in(options, TCA_BPF_NAME));
            if (filter.header.tcm_handle == our_number && called.starts_with(name_prefix)) {
                const char* bits = called.c_str() + name_prefix.size();
                found.insert({name.data(), static_cast<std::uint32_t>(std::strtoul(bits, nullptr, 0))});
            }
        });
    }
    return found;
}

bool add_filter(Netlink& netlink, const Filter& filter) {
    const unsigned link = ::if_nametoindex(filter.interface.c_str());
    if (link == 0) {
        return false;  // gone meanwhile
    }
    const auto instructions = program(filter);
    const Classifier classifier(instructions);
    if (!classifier) {
        refuse(filter, errno);
    }
    const int held = say_of_holder(netlink, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL, link);
    if (held != 0 && held != EEXIST && held != ENODEV) {
        refuse(filter, held);
    }
    Request request(RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_EXCL, netlink.next_sequence());
    head_of_ours(request, link);
    nlattr* options = request.begin_nest(TCA_OPTIONS);
    request.put(TCA_BPF_FD, static_cast<std::uint32_t>(classifier.descriptor()));
    request.put(TCA_BPF_NAME, std::string_view(name_of(filter) + '\0'));
    request.put(TCA_BPF_FLAGS, static_cast<std::uint32_t>(TCA_BPF_FLAG_ACT_DIRECT));
    request.end_nest(options);
    const int added = say(netlink, request);
    if (added != 0 && added != EEXIST && added != ENODEV) {
        refuse(filter, added);
    }
    return held == 0;
}

void remove_filter(Netlink& netlink, const Filter& filter, bool with_holder) {
    const unsigned link = ::if_nametoindex(filter.interface.c_str());
    if (link == 0) {
        return;
    }
    Request request(RTM_DELTFILTER, 0, netlink.next_sequence());
    head_of_ours(request, link);
    const int error = say(netlink, request);
    if (error != 0 && error != ENOENT && error != EINVAL && error != ENODEV) {
        throw CannotGoOn{fmt::format("cannot remove the {}: {}", filter.text(), std::strerror(error))};
    }
    bool others = false;
    for (const std::uint32_t way : {way_in, way_out}) {
        for_each_filter(netlink, link, way, [&](const Parts<tcmsg>&) { others = true; });
    }
    if (with_holder && !others) {
        say_of_holder(netlink, RTM_DELQDISC, 0, link);
    }
}

}  // namespace statnat
