// SPDX-License-Identifier: GPL-2.0-or-later
// A packet's way in words, of what nf_tables tells.
#include "packets/filter.hpp"
#include "packets/passage.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <gtest/gtest.h>

namespace statnat {
namespace {

constexpr const char* own = "statnat.trace.7";
constexpr std::uint32_t drop = 0, accept = 1, queue = 3, on = 0xffffffff;

Address address(std::string_view text) {
    return Address::parse(text).value();
}

TraceEvent at(const char* table, const char* chain, std::uint32_t verdict, std::optional<std::uint64_t> rule = {}) {
    TraceEvent event;
    event.family = "inet";
    event.table = table;
    event.chain = chain;
    event.verdict = verdict;
    event.rule = rule;
    return event;
}

TraceEvent seen(TraceEvent event, std::string_view source, int out = 0) {
    event.ends = std::pair(address(source), address("203.0.113.10"));
    event.network = Bytes(20);
    event.network[0] = 0x45;
    event.network[9] = 17;
    event.transport = {0, 7, 1, 0};
    event.in = 2;
    event.out = out;
    return event;
}

const Naming naming{own,
                    [](const TraceEvent& event) {
                        return event.rule == 4 ? std::optional<std::string>("translate") : std::nullopt;
                    },
                    [](int index) { return "eth" + std::to_string(index); }};
const TraceEvent comes = seen(at(own, arriving, accept, 1), "10.0.0.2");

std::string text_of(std::vector<TraceEvent> events) {
    events.insert(events.begin(), comes);
    return as_text({"NOW", std::move(events)}, naming);
}

const std::string begin = "NOW by eth2: 10.0.0.2 > 203.0.113.10 udp 7 > 256\n";

TEST(Passage, TellsRulesWhereTheyStandAndAddressesWhereTheyChange) {
    EXPECT_EQ(text_of({seen(at("statnat", "postrouting", on, 4), "198.51.100.2"), at("statnat", "postrouting", accept),
                       seen(at(own, leaves, accept), "198.51.100.2", 3)}),
              begin + "  chain postrouting in table inet statnat: translate\n"
                      "  now 198.51.100.2 > 203.0.113.10\n"
                      "  leaves by eth3: 198.51.100.2 > 203.0.113.10\n");
}

TEST(Passage, NamesWhoDroppedIt) {
    EXPECT_EQ(text_of({seen(at("fw", "forward", drop, 9), "10.0.0.2")}),
              begin + "  dropped by chain forward in table inet fw: rule 9\n");
    EXPECT_EQ(text_of({seen(at("fw", "forward", drop), "10.0.0.2")}),
              begin + "  dropped by chain forward in table inet fw: its policy\n");
}

TEST(Passage, SaysWhereItGot) {
    EXPECT_EQ(text_of({seen(at(own, received, accept), "10.0.0.2")}),
              begin + "  is for this machine: 10.0.0.2 > 203.0.113.10\n");
    EXPECT_NE(text_of({at("proxy", "c", queue, 9)}).find("taken over by chain c in table inet proxy: rule 9\n"),
              std::string::npos);
    EXPECT_NE(text_of({at("fw", "c", accept)}).find("lost behind chain c in table inet fw"), std::string::npos);
}

TEST(Passage, IsJson) {
    EXPECT_EQ(as_json({"NOW", {comes, seen(at("fw", "c", drop, 4), "10.0.0.2")}}, naming),
              R"({"time":"NOW","in":"eth2","source":"10.0.0.2","target":"203.0.113.10","carries":"udp 7 > 256",)"
              R"("rules":[{"family":"inet","table":"fw","chain":"c","handle":4,"rule":"translate",)"
              R"("source":"10.0.0.2","target":"203.0.113.10"}],"end":{"how":"dropped",)"
              R"("by":"chain c in table inet fw","rule":"translate","source":"10.0.0.2","target":"203.0.113.10"}})"
              "\n");
}

TEST(Filter, ComparesTheBitsOfAPrefixInAQuote) {
    const std::string text = filter_text(own, {*Prefix::parse("10.0.4.0/22"), *Prefix::parse("198.51.100.0/22")});
    EXPECT_NE(text.find("flags owner;"), std::string::npos);
    EXPECT_NE(text.find("ip daddr 10.0.4.0/22 meta nftrace set 1"), std::string::npos);
    EXPECT_NE(text.find("@th,160,32 & 0xfffffc00 == 0x0a000400 "), std::string::npos);
    EXPECT_NE(text.find("@th,192,32 & 0xfffffc00 == 0xc6336400 "), std::string::npos);
}

}  // namespace
}  // namespace statnat
