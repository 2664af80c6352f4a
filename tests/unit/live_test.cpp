// SPDX-License-Identifier: GPL-2.0-or-later
// What is made of transactions, one after the other.
#include "monitor/ledger.hpp"
#include "live/rates.hpp"

#include <gtest/gtest.h>

namespace statnat {
namespace {

Address host(int number) {
    Address address{Family::ipv4, {10, 0, 0, 0}};
    address.bytes[2] = static_cast<std::uint8_t>(number >> 8);
    address.bytes[3] = static_cast<std::uint8_t>(number);
    return address;
}

Address outside(int number) {
    Address address = host(number);
    address.bytes[0] = 198;
    return address;
}

Deed elements(bool gone, const char* map, Elements elements) {
    return {Deed::Of::elements, gone, Family::ipv4, map, std::move(elements)};
}

std::vector<std::string> lines(Ledger& ledger) {
    std::vector<std::string> lines;
    for (const Difference& difference : ledger.differences()) {
        lines.push_back(as_line(difference, std::nullopt));
    }
    return lines;
}

using Lines = std::vector<std::string>;

TEST(Book, IsTheSameHoweverManyChange) {
    constexpr int many = 20000;
    Book book;
    for (int i = 0; i < many; ++i) {
        book.put({host(i), outside(i)});
        book.settle();
    }
    for (int i = 0; i < many; i += 2) {
        book.erase(host(i));
        book.settle();
    }
    EXPECT_TRUE(book.before().empty());
    EXPECT_EQ(book.pairs(), many / 2);
    for (int i = 0; i < many; ++i) {
        ASSERT_EQ(book.find(host(i)).has_value(), i % 2 == 1) << i;
    }
}

TEST(Book, KnowsWhatAReplacementChanges) {
    Book book;
    book.replace({{host(1), outside(1)}, {host(2), outside(2)}, {host(3), outside(3)}});
    book.put({host(4), outside(4)});
    book.settle();
    book.replace({{host(0), outside(0)}, {host(2), outside(9)}, {host(3), outside(3)}, {host(4), outside(4)}});
    std::vector<std::string> keys;
    for (const auto& [key, before] : book.before()) {
        keys.push_back(key.text() + (before ? " " + before->value.text() : ""));
    }
    EXPECT_EQ(keys, (std::vector<std::string>{"10.0.0.0", "10.0.0.1 198.0.0.1", "10.0.0.2 198.0.0.2"}));
    EXPECT_EQ(book.find(host(2))->value, outside(9));
    EXPECT_FALSE(book.find(host(1)));
}

TEST(Ledger, TellsPairsByBothOfTheirElements) {
    Ledger ledger("statnat");
    ledger.take({{}, {elements(false, "int2ext", {{host(1), outside(1), "mail"}})}});
    EXPECT_EQ(lines(ledger), Lines{"+ 10.0.0.1 198.0.0.1, outbound only # mail"});
    ledger.take({{}, {elements(false, "ext2int", {{outside(1), host(1)}})}});
    EXPECT_EQ(lines(ledger), Lines{"~ 10.0.0.1 198.0.0.1, was outbound only # mail"});
    ledger.take({{},
                 {elements(true, "int2ext", {{host(1), outside(1)}}),
                  elements(false, "int2ext", {{host(1), outside(2)}}),
                  elements(true, "ext2int", {{outside(1), host(1)}}),
                  elements(false, "ext2int", {{outside(2), host(1)}})}});
    EXPECT_EQ(lines(ledger), Lines{"~ 10.0.0.1 198.0.0.2, was 198.0.0.1, comment changed"});
    EXPECT_EQ(lines(ledger), Lines{});
}

TEST(Ledger, KnowsTiersAndHoles) {
    Ledger ledger("statnat");
    ledger.take({{},
                 {elements(false, "int2ext_24", {{host(0), outside(0)}, {host(256), host(256)}}),
                  elements(false, "ext2int_24", {{outside(0), host(0)}}),
                  elements(false, "exempt", {{host(7), host(7)}})}});
    EXPECT_EQ(lines(ledger), Lines{"+ 10.0.0.0/24 198.0.0.0/24"});
    EXPECT_EQ(ledger.pairs(), 1);
}

TEST(Ledger, EmptiesMapsThatGo) {
    Ledger ledger("statnat");
    ledger.replace(Family::ipv4, true, {"int2ext", "ext2int"});
    ledger.replace(Family::ipv4, "int2ext", {{host(1), outside(1)}});
    ledger.replace(Family::ipv4, "ext2int", {{outside(1), host(1)}});
    ledger.differences();
    ledger.take({{}, {{Deed::Of::map, true, Family::ipv4, "int2ext", {}}}});
    EXPECT_EQ(lines(ledger), (Lines{"~ 10.0.0.1 198.0.0.1, inbound only", "- map ip statnat int2ext"}));
    ledger.replace(Family::ipv4, false, {});
    EXPECT_EQ(lines(ledger), (Lines{"- 10.0.0.1 198.0.0.1, inbound only", "- table ip statnat"}));
}

CountedPair counted(int number, Traffic outbound, Traffic inbound) {
    return {{{host(number), 32}, {outside(number), 32}, false, {}}, outbound, inbound};
}

TEST(Rates, AreOfPairsThatAreInBothReadings) {
    const std::vector<CountedPair> before{counted(1, {10, 1000}, {0, 0}), counted(2, {5, 500}, {7, 700})};
    const std::vector<CountedPair> now{counted(1, {30, 5000}, {2, 200}), counted(2, {1, 100}, {7, 700}),
                                       counted(3, {9, 900}, {9, 900})};
    const auto found = rates(before, now, std::chrono::seconds(2));
    EXPECT_EQ(busiest(found, 9),
              (Lines{"internal  external   packets/s out  bytes/s out  packets/s in  bytes/s in  comment",
                     "10.0.0.1  198.0.0.1             10        2,000             1         100  ",
                     "10.0.0.2  198.0.0.2              1           50             0           0  "}));
    EXPECT_EQ(busiest(found, 1).size(), 2);
    EXPECT_EQ(sum_text(found), "out 11 packets/s 2,050 bytes/s, in 1 packets/s 100 bytes/s");
}

}  // namespace
}  // namespace statnat
