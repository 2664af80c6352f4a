// SPDX-License-Identifier: GPL-2.0-or-later
// What pairs mean for a machine that is made of a table.
#include "ruleset/machine.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace statnat {
namespace {

using Lines = std::vector<std::string>;

Pair make_pair(const std::string& internal, const std::string& external, bool npt = false) {
    return {*Prefix::parse(internal), *Prefix::parse(external), npt};
}

Interface at(const std::string& address, const std::string& name) {
    return {*Address::parse(address), name};
}

const Pair lan = make_pair("10.0.0.0/24", "198.51.100.0/24");
const std::string is_own = " stays this machine's own: it is not translated";

struct Case {
    const char* why;
    std::vector<Pair> pairs;
    Machine machine;
    Lines sentences;
};

TEST(MachineTest, WarnsOfWhatAPrefixCovers) {
    const std::string lan_text = "10.0.0.0/24 198.51.100.0/24: ";
    const std::string inside =
        "the router 10.0.0.254 behind lan0 is taken for a host inside: what it sends through this machine is "
        "translated (exclude leaves it alone, a longer pair gives it an external address of its own, "
        "exempt-destinations leave out what goes to them)";
    const std::string outside =
        "the router 198.51.100.254 behind wan0 cannot be reached from inside: what is sent to it goes to 10.0.0.254 "
        "(exclude leaves both alone, a pair of its own for 10.0.0.254, with an external address to spare, cures it, "
        "too)";
    const Interface covered_router = at("198.51.100.254", "wan0");
    const std::vector<Case> cases{
        {"nothing here", {lan}, {}, {}},
        {"beside it", {lan},
         {.own = {at("10.0.1.1", "lan0"), at("fd00::1", "lan0")}, .routers = {at("192.0.2.2", "wan0")}}, {}},
        {"an address inside", {lan}, {.own = {at("10.0.0.1", "lan0")}}, {lan_text + "10.0.0.1 of lan0" + is_own}},
        {"an address outside", {lan}, {.own = {at("198.51.100.1", "wan0")}},
         {lan_text + "198.51.100.1 of wan0" + is_own}},
        {"both, once", {lan}, {.own = {at("10.0.0.1", "lan0"), at("198.51.100.1", "wan0")}},
         {lan_text + "10.0.0.1 of lan0, 198.51.100.1 of wan0 stay this machine's own: they are not translated"}},
        {"a pair of hosts", {make_pair("10.0.0.2", "198.51.100.2")},
         {.own = {at("10.0.0.2", "lan0"), at("198.51.100.2", "wan0")}, .routers = {at("198.51.100.2", "wan0")}}, {}},
        {"a pair of its own, inside", {lan, make_pair("10.0.0.1", "203.0.113.1")},
         {.own = {at("10.0.0.1", "lan0")}}, {}},
        {"a router outside", {lan}, {.routers = {covered_router}}, {lan_text + outside}},
        {"the cure", {lan, make_pair("10.0.0.254", "203.0.113.254")}, {.routers = {covered_router}}, {}},
        {"a router inside", {lan}, {.routers = {at("10.0.0.254", "lan0")}}, {lan_text + inside}},
        {"an address and a router", {lan}, {.own = {at("10.0.0.1", "lan0")}, .routers = {covered_router}},
         {lan_text + "10.0.0.1 of lan0" + is_own + "; " + outside}},
        {"the longer of two", {make_pair("10.0.0.0/16", "198.18.0.0/16"), lan}, {.own = {at("10.0.0.1", "lan0")}},
         {lan_text + "10.0.0.1 of lan0" + is_own}},
        {"two pairs", {lan, make_pair("fd00:1::/64", "2001:db8:2::/64")},
         {.own = {at("2001:db8:2::77", "wan0"), at("10.0.0.1", "lan0")}},
         {lan_text + "10.0.0.1 of lan0" + is_own, "fd00:1::/64 2001:db8:2::/64: 2001:db8:2::77 of wan0" + is_own}},
        {"npt", {make_pair("fd01:203:405::/48", "2001:db8:1::/48", true)},
         {.routers = {at("2001:db8:1:d550::1", "wan0")}},
         {"fd01:203:405::/48 2001:db8:1::/48 npt: the router 2001:db8:1:d550::1 behind wan0 cannot be reached from "
          "inside: what is sent to it goes to fd01:203:405:1::1 (exclude leaves both alone, a pair of its own for "
          "fd01:203:405:1::1, with an external address to spare, cures it, too)"}},
    };
    for (const auto& [why, pairs, machine, sentences] : cases) {
        EXPECT_EQ(warnings(Pairs(pairs), machine), sentences) << why;
    }
    Pairs rest{lan};
    rest.exclude(*Prefix::parse("10.0.0.252/30"));
    const Machine excluded{.own = {at("10.0.0.253", "lan0")}, .routers = {at("10.0.0.254", "lan0"), covered_router}};
    EXPECT_EQ(warnings(rest, excluded), Lines{});
}

TEST(MachineTest, NotesWhatHasNoEffect) {
    const OtherChain nat{.place = "ip nat prerouting", .families = {Family::ipv4}, .translates = true};
    const OtherChain both{.place = "inet nat output", .families = {Family::ipv4, Family::ipv6}, .translates = true};
    const OtherChain harmless{.place = "inet filter forward", .families = {Family::ipv4, Family::ipv6}};
    const Pair four = make_pair("10.0.0.2", "198.51.100.2");
    const Pair six = make_pair("fd00::2", "2001:db8::2");
    const auto count = [](const std::vector<Pair>& pairs, const Machine& machine) {
        return notes(Pairs(pairs), machine).size();
    };
    EXPECT_EQ(count({}, {.own = {at("10.0.0.1", "lan0")}, .chains = {nat, both}}), 0U);
    EXPECT_EQ(count({four}, {.chains = {harmless}}), 0U);
    EXPECT_EQ(count({six}, {.chains = {nat, both}}), 1U);
    EXPECT_EQ(count({four}, {.chains = {nat, both}}), 2U);
    EXPECT_EQ(count({four}, {.own = {at("10.0.0.2", "lan0")}}), 0U);
    EXPECT_EQ(notes(Pairs({four}), {.own = {at("198.51.100.2", "wan0")}}),
              Lines{"198.51.100.2 of wan0 is the external address of 10.0.0.2: what comes to it goes there, so this "
                    "machine gets no answer to what it sends from it"});
}

}  // namespace
}  // namespace statnat
