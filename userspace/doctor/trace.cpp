// SPDX-License-Identifier: GPL-2.0-or-later
#include "doctor/trace.hpp"

#include "doctor/injection.hpp"
#include "error.hpp"
#include "wire/wire.hpp"

#include <algorithm>
#include <chrono>
#include <new>

#include <fmt/format.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <nftables/libnftables.h>

namespace statnat {
namespace {

constexpr const char* own_table = "statnat.doctor";

// Of a probe of which nothing more is told for so long, nothing more comes. The kernel has dealt with it before its
// sender goes on, unless there is very much to do.
constexpr std::chrono::milliseconds silence(300);

// Before whatever may drop it, and behind whatever may translate it.
constexpr int first = -2147483646, last = 2147483646;

std::string table_text(const Mark& mark) {
    std::string payload;
    for (const std::uint8_t byte : mark.payload) {
        payload += fmt::format("{:02x}", byte);
    }
    const auto at = [&](unsigned bits) { return fmt::format("@th,{},64 0x{}", bits, payload); };
    const auto chain = [](const char* name, const char* hook, int priority, const std::string& rules) {
        return fmt::format("chain {} {{\ntype filter hook {} priority {};\n{}}}\n", name, hook, priority, rules);
    };
    // What firewalls and proxies say in answer would go out to somebody who has not asked.
    const std::string answers = fmt::format("{} drop\n{} drop\ntcp sport {} tcp dport {} drop\ntcp sport {} tcp dport "
                                            "{} drop\n",
                                            at(quoted_at_ipv4), at(quoted_at_ipv6), outside_port, mark.inside_port,
                                            mark.inside_port, outside_port);
    return fmt::format("table inet {} {{\nflags owner;\n{}{}{}{}}}\n", own_table,
                       chain("arriving", "prerouting", first, at(payload_at) + " meta nftrace set 1\n"),
                       chain(for_this_machine, "input", last, at(payload_at) + " drop\n"),
                       chain(leaving, "postrouting", last, at(payload_at) + " drop\n"),
                       chain("answers", "output", first, answers));
}

std::string family_name(std::uint8_t family) {
    switch (family) {
    case NFPROTO_IPV4: return "ip";
    case NFPROTO_IPV6: return "ip6";
    case NFPROTO_BRIDGE: return "bridge";
    case NFPROTO_NETDEV: return "netdev";
    default: return "inet";
    }
}

std::optional<std::pair<Address, Address>> ends_of(Message header) {
    if (header.empty()) {
        return std::nullopt;
    }
    const Family family = header[0] >> 4 == 4 ? Family::ipv4 : Family::ipv6;
    Address source{family, {}};
    Address target{family, {}};
    const std::size_t at = family == Family::ipv4 ? 12 : 8;
    if (header.size() < at + 2 * source.size()) {
        return std::nullopt;
    }
    std::copy_n(header.begin() + static_cast<std::ptrdiff_t>(at), source.size(), source.bytes.begin());
    std::copy_n(header.begin() + static_cast<std::ptrdiff_t>(at + source.size()), target.size(), target.bytes.begin());
    return std::pair(source, target);
}

TraceEvent event_of(Message message, const Attributes& told) {
    TraceEvent event;
    event.family = family_name(message[MNL_NLMSG_HDRLEN]);  // nfgen_family
    event.table = told.text(NFTA_TRACE_TABLE);
    event.chain = told.text(NFTA_TRACE_CHAIN);
    if (told.number(NFTA_TRACE_TYPE) == NFT_TRACETYPE_RULE) {
        event.rule = told.long_number(NFTA_TRACE_RULE_HANDLE);
        event.verdict = told.nest(NFTA_TRACE_VERDICT).number(NFTA_VERDICT_CODE);
    } else {
        event.verdict = told.number(NFTA_TRACE_POLICY, NF_ACCEPT);
    }
    event.ends = ends_of(told.bytes(NFTA_TRACE_NETWORK_HEADER));
    return event;
}

bool is_trace(Message message) {
    return header_of(message).nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_TRACE);
}

}  // namespace

bool TraceEvent::drops() const {
    return verdict == NF_DROP;
}

bool TraceEvent::takes_over() const {
    const std::uint32_t word = verdict & NF_VERDICT_MASK;
    return static_cast<std::int32_t>(verdict) >= 0 && (word == NF_QUEUE || word == NF_STOLEN);
}

bool TraceEvent::is_at(const char* own_chain) const {
    return table == own_table && chain == own_chain;
}

void Trace::Freed::operator()(nft_ctx* context) const {
    nft_ctx_free(context);
}

Trace::Trace() : socket_(open_trace_socket()), buffer_(receive_size), table_(nft_ctx_new(NFT_CTX_DEFAULT)) {
    if (!table_ || nft_ctx_buffer_error(table_.get()) != 0) {
        throw std::bad_alloc();
    }
    if (nft_run_cmd_from_buffer(table_.get(), table_text(mark_).c_str()) != 0) {
        const std::string error = nft_ctx_get_error_buffer(table_.get());
        throw CannotGoOn{fmt::format("no packet can be traced, since the kernel refuses the table {}: {}", own_table,
                                     error.substr(0, error.find('\n')))};
    }
}

Trace::~Trace() = default;

Course Trace::of(const Probe& probe) {
    const Injection injection(probe.link);
    injection.send(frame(probe, mark_));
    Course course;
    std::uint32_t id = 0;  // of the packet: others may be traced, too
    while (true) {
        const Received received = receive(*socket_, buffer_, false);
        if (!received.datagram && !received.lost) {
            const auto before = std::chrono::steady_clock::now();
            socket_->wait(silence);
            if (std::chrono::steady_clock::now() - before >= silence) {
                return course;
            }
            continue;
        }
        bool over = false;
        for_each_message(received.datagram.value_or(Message()), [&](Message message, Message) {
            if (!is_trace(message)) {
                return;
            }
            const Attributes told = Attributes::of(message);
            const TraceEvent event = event_of(message, told);
            if (course.empty() && !event.is_at("arriving")) {
                return;
            }
            id = course.empty() ? told.number(NFTA_TRACE_ID) : id;
            if (told.number(NFTA_TRACE_ID) == id) {
                course.push_back(event);
                over = over || event.drops() || event.takes_over();
            }
        });
        if (over) {
            return course;
        }
    }
}

std::optional<std::string> text_of_rule(const TraceEvent& event) {
    const std::unique_ptr<nft_ctx, void (*)(nft_ctx*)> context(nft_ctx_new(NFT_CTX_DEFAULT), nft_ctx_free);
    if (!event.rule || !context || nft_ctx_buffer_output(context.get()) != 0 ||
        nft_ctx_buffer_error(context.get()) != 0) {
        return std::nullopt;
    }
    nft_ctx_output_set_flags(context.get(), NFT_CTX_OUTPUT_HANDLE | NFT_CTX_OUTPUT_TERSE | NFT_CTX_OUTPUT_STATELESS);
    const std::string list = fmt::format("list chain {} {} {}", event.family, event.table, event.chain);
    if (nft_run_cmd_from_buffer(context.get(), list.c_str()) != 0) {
        return std::nullopt;
    }
    const std::string listing = nft_ctx_get_output_buffer(context.get());
    const std::size_t end = listing.find(fmt::format(" # handle {}\n", *event.rule));
    if (end == std::string::npos) {
        return std::nullopt;
    }
    const std::size_t before = listing.rfind('\n', end);
    const std::size_t begin = listing.find_first_not_of("\t ", before == std::string::npos ? 0 : before + 1);
    return listing.substr(begin, end - begin);
}

}  // namespace statnat
