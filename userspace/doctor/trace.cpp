// SPDX-License-Identifier: GPL-2.0-or-later
#include "doctor/trace.hpp"

#include "doctor/injection.hpp"

#include <chrono>
#include <memory>

#include <fmt/format.h>
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

}  // namespace

bool is_at(const TraceEvent& event, const char* own_chain) {
    return event.table == own_table && event.chain == own_chain;
}

Trace::Trace() : socket_(open_trace_socket()), buffer_(receive_size), table_(own_table, table_text(mark_)) {}

Course Trace::of(const Probe& probe) {
    const Injection injection(probe.link);
    injection.send(frame(probe, mark_));
    Course course;
    std::uint32_t number = 0;
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
            const auto event = trace_event_in(message);
            // What it carries is known there. In a VRF it arrives twice, and has two numbers, since these are made of
            // the interface as well.
            if (event && is_at(*event, "arriving") && event->rule) {
                number = event->packet;
            }
            if (!event || number != event->packet) {
                return;  // of others, which may be traced, too
            }
            course.push_back(*event);
            over = over || event->drops() || event->takes_over();
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
    return rule_in_listing(nft_ctx_get_output_buffer(context.get()), *event.rule);
}

}  // namespace statnat
