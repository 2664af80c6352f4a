// SPDX-License-Identifier: GPL-2.0-or-later
// Probes as bytes, what their course says is wrong, and how that is told.
#include "doctor/diagnosis.hpp"
#include "doctor/probe.hpp"
#include "doctor/trouble.hpp"

#include <cerrno>

#include <gtest/gtest.h>

namespace statnat {
namespace {

Address address(const char* text) {
    return *Address::parse(text);
}

Probe outbound() {
    return {Way::outbound, address("10.0.0.2"), address("198.51.100.2"), address("203.0.113.10"), 1, {"lan0"}};
}

Probe inbound() {
    Probe probe = outbound();
    probe.way = Way::inbound;
    return probe;
}

std::uint32_t sum(Message bytes) {
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) {
        sum += static_cast<std::uint32_t>(bytes[i] << 8 | bytes[i + 1]);
    }
    while (sum >> 16 != 0) {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return sum;
}

TEST(Probe, ChecksumsAreRight) {
    for (Probe probe : {outbound(), inbound()}) {
        const Bytes bytes = frame(probe, Mark::random());
        const Message header = Message(bytes).subspan(14, 20);
        const Message segment = Message(bytes).subspan(34);
        EXPECT_EQ(sum(header), 0xffffU);
        EXPECT_EQ(header[8], 2);  // one for the gateway, one in case
        // The addresses are the last 8 bytes of the header.
        const std::uint32_t pseudo = sum(header.last(8)) + 6 + static_cast<std::uint32_t>(segment.size());
        EXPECT_EQ((sum(segment) + pseudo) % 0xffff, 0U);
    }
}

TEST(Probe, InsideBeginsAndOutsideAnswers) {
    EXPECT_EQ(frame(outbound(), Mark::random())[14 + 20 + 13], 0x02);
    EXPECT_EQ(frame(inbound(), Mark::random())[14 + 20 + 13], 0x12);
}

TEST(Probe, MarkStandsWhereItIsLookedFor) {
    const Mark mark = Mark::random();
    const Bytes bytes = frame(outbound(), mark);
    const Message carried = Message(bytes).subspan(14 + 20 + payload_at / 8);
    EXPECT_TRUE(std::equal(carried.begin(), carried.end(), mark.payload.begin(), mark.payload.end()));
}

constexpr std::uint32_t drop = 0, accept = 1, queue = 3;

TraceEvent at(const char* family, const char* table, const char* chain, std::uint32_t verdict,
              std::optional<std::uint64_t> rule = std::nullopt) {
    return {family, table, chain, rule, verdict, std::pair(address("10.0.0.2"), address("203.0.113.10"))};
}

const TraceEvent arriving = at("inet", "statnat.doctor", "arriving", accept);
const TraceEvent ours = at("ip", "statnat", "prerouting", accept);

std::optional<Trouble> trouble(const Course& course, int error = 0) {
    return diagnosis(outbound(), course,
                     {[](const TraceEvent&) { return std::nullopt; }, [=](const Probe&) { return error; }, "sync it",
                      "statnat"});
}

TEST(Diagnosis, WhatLeavesAsItMustIsWell) {
    TraceEvent last = at("inet", "statnat.doctor", leaving, drop, 7);
    last.ends->first = address("198.51.100.2");
    EXPECT_FALSE(trouble({arriving, ours, last}));
    last.ends->first = address("192.0.2.1");
    EXPECT_EQ(trouble({arriving, ours, last})->cure, "sync it");
}

TEST(Diagnosis, WhatIsHandedOnIsNotKnown) {
    EXPECT_FALSE(trouble({arriving, ours, at("ip", "other", "forward", queue | 5 << 16, 3)}));
}

// In the base chain, whose verdict it is that counts; in iptables' words where it is iptables' chain.
TEST(Diagnosis, CureStandsInTheBaseChain) {
    TraceEvent deep = at("inet", "fw", "deep", drop, 9);
    deep.ends.reset();
    EXPECT_EQ(trouble({arriving, ours, at("inet", "fw", "forward", static_cast<std::uint32_t>(-3), 4), deep})->cure,
              "nft insert rule inet fw forward ct state untracked accept");
    EXPECT_EQ(trouble({arriving, ours, at("ip6", "filter", "FORWARD", drop)})->cure,
              "ip6tables -I FORWARD -m conntrack --ctstate UNTRACKED -j ACCEPT");
    EXPECT_EQ(trouble({arriving, ours, at("ip", "mangle", "FORWARD", drop, 2)})->cure,
              "iptables -t mangle -I FORWARD -m conntrack --ctstate UNTRACKED -j ACCEPT");
}

// Where nothing is untracked yet, no such rule would help.
TEST(Diagnosis, CureBeforeOurRules) {
    EXPECT_EQ(trouble({arriving, at("ip", "early", "first", drop, 5)})->cure,
              "nft delete rule ip early first handle 5");
    EXPECT_EQ(trouble({arriving, at("ip", "early", "first", drop)})->cure,
              "nft 'chain ip early first { policy accept; }'");
}

TEST(Diagnosis, LostInRouting) {
    EXPECT_EQ(trouble({arriving, ours}, EXDEV)->cure, "sysctl -w net/ipv4/conf/lan0/rp_filter=2");
    EXPECT_NE(trouble({arriving, ours}, EHOSTUNREACH)->what.find("routed nowhere"), std::string::npos);
    EXPECT_NE(trouble({arriving, ours})->what.find("iptables-legacy"), std::string::npos);
}

TEST(Trouble, WorstFirstAndEachOnce) {
    const Troubles troubles = in_order({{"b", "B", false}, {"a", "A"}, {"a", "A"}});
    EXPECT_EQ(as_text(troubles), "breaks: a; cure: A\nmay break: b; cure: B\n");
    EXPECT_EQ(as_json(troubles), "{\"breaks\":true,\"findings\":[{\"breaks\":true,\"what\":\"a\",\"cure\":\"A\"},"
                                 "{\"breaks\":false,\"what\":\"b\",\"cure\":\"B\"}]}\n");
    EXPECT_EQ(as_text(Troubles{}), "");
}

}  // namespace
}  // namespace statnat
