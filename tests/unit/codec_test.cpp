// SPDX-License-Identifier: GPL-2.0-or-later
// What the encoder writes, the decoder reads back: the kernel's dumps have the form of the batches that made them.
#include "error.hpp"
#include "fake_socket.hpp"
#include "loose_elements.hpp"
#include "ruleset/layout.hpp"
#include "wire/decoder.hpp"
#include "wire/encoder.hpp"
#include "wire/questions.hpp"
#include "wire/statement_reader.hpp"
#include "wire/statement_writer.hpp"
#include "wire/wire.hpp"

#include <algorithm>
#include <cstring>

#include <gtest/gtest.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

namespace statnat {

// Names and values of what a failed comparison is about.
void PrintTo(const Rule& rule, std::ostream* out) {
    *out << text(rule, Family::ipv4);
}

namespace {

Address address(std::string_view text) {
    return Address::parse(text).value();
}

Prefix prefix(std::string_view text) {
    return Prefix::parse(text).value();
}

Table decode(const Bytes& batch, Family family = Family::ipv4) {
    TableDecoder decoder(family, "statnat");
    for (const Message message : fake::split(batch)) {
        switch (fake::header_of(message).nlmsg_type & 0xff) {
        case NFT_MSG_NEWTABLE: decoder.table(message); break;
        case NFT_MSG_NEWSET: decoder.set(message); break;
        case NFT_MSG_NEWSETELEM: decoder.elements(message); break;
        case NFT_MSG_NEWCHAIN: decoder.chain(message); break;
        case NFT_MSG_NEWRULE: decoder.rule(message); break;
        default: break;
        }
    }
    return decoder.finish();
}

Table round_trip(const Plan& plan, Family family = Family::ipv4) {
    return decode(encode(plan, "statnat", 1, 1).bytes, family);
}

Configuration example(Counters counters) {
    Configuration configuration;
    configuration.counters = counters;
    configuration.exempt_destinations = {prefix("10.0.0.0/9"), prefix("10.128.0.0/9"), prefix("192.0.2.7/32"),
                                         prefix("224.0.0.0/3")};
    configuration.exceptions = {{Side::internal, prefix("10.0.0.2").address, 6, 443},
                                {Side::external, prefix("198.51.100.2").address, 17, 53},
                                {Side::external, prefix("198.51.100.3").address, 1, {}}};
    configuration.pairs = {{prefix("10.0.0.2"), prefix("198.51.100.2"), false, ""},
                           {prefix("10.0.0.3"), prefix("198.51.100.3"), false, "mail"},
                           {prefix("10.0.1.0"), prefix("198.51.100.255"), false, "\u00e9t\u00e9"}};
    return configuration;
}

Configuration ipv6_example(Counters counters) {
    Configuration configuration;
    configuration.counters = counters;
    configuration.exempt_destinations = {prefix("fd00::/8"), prefix("2001:db8:0:8000::/49"), prefix("2001:db8:2::7"),
                                         prefix("ffff::/16")};
    configuration.exceptions = {{Side::internal, prefix("fd00:1::2").address, 6, 443},
                                {Side::external, prefix("2001:db8:1::3").address, 58, {}}};
    configuration.pairs = {{prefix("fd00:1::2"), prefix("2001:db8:1::2"), false, ""},
                           {prefix("fd00:1::3"), prefix("2001:db8:1::3"), false, "mail"},
                           {prefix("fd00:1:0:1::"), prefix("2001:db8:1:ffff:ffff:ffff:ffff:ffff"), false,
                            "\u00e9t\u00e9"}};
    return configuration;
}

const Map& find_map(const Table& table, std::string_view name) {
    return *std::find_if(table.maps.begin(), table.maps.end(), [&](const Map& map) { return map.name == name; });
}

// An element that starts at zero is written without a counter: the kernel gives it one.
void count_something(Ruleset& ruleset) {
    for (Table& table : ruleset) {
        for (Map& map : table.maps) {
            change_each(map.elements, [&](Element& element) { element.traffic = {1, 84}; });
        }
    }
}

// The one table of a ruleset, read back from the batch that makes it from nothing.
void expect_read_back(Ruleset desired) {
    count_something(desired);
    Plan steps = plan(desired, {});
    for (Step& step : steps) {  // a plan does not take traffic from what is desired
        if (auto* add = std::get_if<AddElements>(&step)) {
            add->map.elements = find_map(desired.at(0), add->map.name).elements;
        }
    }
    ASSERT_EQ(desired.size(), 1U);
    const Table table = round_trip(steps, desired[0].family);
    EXPECT_TRUE(plan(desired, {table}).empty());
    EXPECT_EQ(table.prefix_sets, desired[0].prefix_sets);
    for (std::size_t i = 0; i < desired[0].chains.size(); ++i) {
        EXPECT_EQ(table.chains.at(i).rules, desired[0].chains[i].rules);
    }
}

TEST(Codec, ReadsBackWhatEveryLayoutWrites) {
    for (const Engine engine : {Engine::expression, Engine::native}) {
        for (const Counters counters : {Counters::pair, Counters::rule, Counters::off}) {
            expect_read_back(layout(example(counters), engine));
            expect_read_back(layout(ipv6_example(counters), engine));
            Configuration followed = ipv6_example(counters);
            followed.conntrack = Conntrack::follow;
            expect_read_back(layout(followed, engine));
        }
    }
}

// Tables of both families have the same name: the family alone tells them apart.
TEST(Codec, WritesTheFamilyIntoEveryMessage) {
    Configuration both = ipv6_example(Counters::pair);
    both.pairs.push_back({prefix("10.0.0.2"), prefix("198.51.100.2"), false, ""});
    both.pairs.sort();
    const Plan steps = plan(layout(both, Engine::native), {});
    const Batch batch = encode(steps, "statnat", 1, 1);
    const auto messages = fake::split(batch.bytes);
    for (std::size_t i = 1; i + 1 < messages.size(); ++i) {
        const Family family = std::visit([](const auto& step) { return step.family; }, steps.at(batch.steps.at(i)));
        EXPECT_EQ(messages[i][sizeof(nlmsghdr)], family == Family::ipv4 ? NFPROTO_IPV4 : NFPROTO_IPV6);
    }
}

// One chain with one rule, read back.
Rule read_back(const Rule& rule, Family family) {
    Chain chain;
    chain.name = "c";
    chain.rules = {rule};
    return round_trip({AddChain{family, chain}}, family).chains.at(0).rules.at(0);
}

TEST(Codec, ReadsBackEveryStatement) {
    const std::vector<Statement> statements{
        SnatStateless{.field = Field::source, .maps = {{"m"}}},
        SnatStateless{.field = Field::destination, .maps = {{"m"}}, .notrack = true},
        SnatStateless{.field = Field::source, .maps = {{"m"}}, .untrack = true},
        SnatStateless{.field = Field::source, .maps = {{"m"}}, .untracked = true},
        SnatStateless{.field = Field::source, .maps = {{"m"}}, .tracked = true},
        SnatStateless{.field = Field::destination, .maps = {{"m"}}, .follow = true, .else_maps = {{"x"}}},
        SnatStateless{.field = Field::source, .maps = {{"m"}}, .follow = true, .followed = true},
        KeepSource{},
        SnatStateless{.field = Field::source, .maps = {{"m"}, {"m_56", 56}, {"m_48", 48, true}, {"m", 1}}},
        SnatStateless{
            .field = Field::destination, .maps = {{"m"}, {"n"}}, .notrack = true, .else_maps = {{"x"}, {"y", 24}}},
        SetAddress{Field::source, "m"},
        SetAddress{Field::destination, "m"},
        MatchAddress{Field::source, "s", false},
        MatchAddress{Field::destination, "s", true},
        AskStanding{"m"},
        MatchIcmpType{1, 4},
        MatchIcmpType{3, 5},
        MatchIcmpType{8, 8},
        MatchBeginning{},
        MatchUntracked{},
        Notrack{},
        SetMark{0x08000000},
        SetMark{0x80000000},
        ClearMark{0x08000000},
        ClearMark{0x80000000},
        MatchMark{0x00010000},
        MatchMark{0x80000000},
        MatchInterface{MatchInterface::Way::in, "red"},
        Counter{},
    };
    for (const Family family : families) {
        Rule all;
        for (const Statement& statement : statements) {
            Rule rule;
            rule.statements = {statement};
            EXPECT_EQ(read_back(rule, family), rule);
            all.statements.push_back(statement);
        }
        EXPECT_EQ(read_back(all, family), all);
        std::reverse(all.statements.begin(), all.statements.end());
        EXPECT_EQ(read_back(all, family), all);
    }
}

// As nft from 1.1 on does, which may have loaded what `render` wrote.
TEST(Codec, ReadsARangeThatIsOneExpression) {
    for (const Family family : families) {
        Rule rule;
        rule.statements = {MatchIcmpType{3, 5}, Notrack{}};
        std::vector<char> scratch(scratch_size);
        nlmsghdr* message = mnl_nlmsg_put_header(scratch.data());
        for (const Statement& statement : rule.statements) {
            put(message, statement, family, {}, Ranges::one_expression);
        }
        const Message list(static_cast<const std::uint8_t*>(mnl_nlmsg_get_payload(message)),
                           mnl_nlmsg_get_payload_len(message));
        EXPECT_EQ(rule_in(list, family), rule);
    }
}

TEST(Codec, TakesStatementsOfTheOtherFamilyForForeign) {
    Chain chain;
    chain.name = "c";
    chain.rules.emplace_back().statements = {SetAddress{Field::source, "m"}, MatchIcmpType{1, 4}};
    const Bytes bytes = encode({AddChain{Family::ipv6, chain}}, "statnat", 1, 1).bytes;
    const Table table = decode(bytes, Family::ipv4);
    for (const Statement& statement : table.chains.at(0).rules.at(0).statements) {
        EXPECT_TRUE(std::holds_alternative<Foreign>(statement)) << text(statement, Family::ipv4);
    }
}

TEST(Codec, StartsCountersWhereTheyStood) {
    Rule rule;
    rule.statements = {Counter{}};
    rule.traffic = {5, 420};
    EXPECT_EQ(read_back(rule, Family::ipv4).traffic, rule.traffic);
    EXPECT_EQ(read_back(rule, Family::ipv6).traffic, rule.traffic);

    Map map{.name = "m", .counters = true, .capacity = 7, .elements = {}};
    map.elements = {{address("10.0.0.2"), address("198.51.100.2"), "mail", {1ULL << 40, 1ULL << 50}}};
    const Table table = round_trip({AddMap{Family::ipv4, map}, AddElements{Family::ipv4, map}});
    EXPECT_EQ(table.maps.at(0).capacity, 7U);
    EXPECT_TRUE(table.maps[0].counters);
    EXPECT_FALSE(table.maps[0].foreign);
    EXPECT_EQ(table.maps[0].elements[0].traffic, map.elements[0].traffic);
    EXPECT_EQ(table.maps[0].elements[0].comment, "mail");
    EXPECT_EQ(table.maps[0].elements[0].value, address("198.51.100.2"));
}

TEST(Codec, ReadsBackIntervalsAtBothEndsOfTheSpace) {
    for (const std::vector<Prefix>& prefixes :
         {std::vector{prefix("0.0.0.0/0")}, std::vector{prefix("0.0.0.0/32"), prefix("255.255.255.255/32")},
          std::vector{prefix("0.0.0.0/1"), prefix("128.0.0.0/1")}}) {
        const Table table = round_trip({AddPrefixSet{Family::ipv4, {"exempt", false, prefixes}}});
        EXPECT_EQ(table.prefix_sets.at(0).prefixes, prefixes);
        EXPECT_FALSE(table.prefix_sets[0].foreign);
    }
}

TEST(Codec, ReadsBackIPv6IntervalsAtBothEndsOfTheSpace) {
    for (const std::vector<Prefix>& prefixes :
         {std::vector{prefix("::/0")}, std::vector{prefix("::/128"), prefix("ffff::/16")},
          std::vector{prefix("::/1"), prefix("8000::/1")},
          std::vector{prefix("fd00::/8"), prefix("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128")}}) {
        const Table table = round_trip({AddPrefixSet{Family::ipv6, {"exempt", false, prefixes}}}, Family::ipv6);
        EXPECT_EQ(table.prefix_sets.at(0).prefixes, prefixes);
        EXPECT_FALSE(table.prefix_sets[0].foreign);
    }
}

TEST(Codec, ReadsBackAStandingMap) {
    for (const Family family : families) {
        const Table table = round_trip({AddStandingMap{family, {"standing"}}}, family);
        EXPECT_EQ(table.standing_maps, std::vector{StandingMap{"standing"}});
    }
}

// The types, lengths and byte orders that nft(8) 1.0.6 gives to ipv6_addr.
TEST(Codec, WritesAnIPv6MapAsNftDoes) {
    const Map map{.name = "m", .capacity = 3, .elements = {}};
    const Bytes bytes = encode({AddMap{Family::ipv6, map}}, "statnat", 1, 1).bytes;
    const std::vector<Bytes> expected{
        {8, 0, NFTA_SET_KEY_TYPE, 0, 0, 0, 0, 8},
        {8, 0, NFTA_SET_KEY_LEN, 0, 0, 0, 0, 16},
        {8, 0, NFTA_SET_DATA_TYPE, 0, 0, 0, 0, 8},
        {8, 0, NFTA_SET_DATA_LEN, 0, 0, 0, 0, 16},
        {22, 0, NFTA_SET_USERDATA, 0, 0, 4, 2, 0, 0, 0, 1, 4, 2, 0, 0, 0, 6, 4, 0, 0, 0, 0},
    };
    for (const Bytes& attribute : expected) {
        EXPECT_NE(std::search(bytes.begin(), bytes.end(), attribute.begin(), attribute.end()), bytes.end())
            << "attribute " << int{attribute[2]};
    }
}

TEST(Codec, KeepsListsBelowTheLimitOfAnAttribute) {
    Map map{.name = "m", .counters = true, .elements = {}};
    for (std::uint32_t i = 0; i < 10000; ++i) {
        Element element;
        element.key.bytes = {10, 0, static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i)};
        element.value.bytes = {198, 51, static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i)};
        element.comment = std::string(127, 'x');
        element.traffic = {i + 1, i};
        map.elements.push_back(element);
    }
    const Batch batch = encode({AddMap{Family::ipv4, map}, AddElements{Family::ipv4, map}}, "statnat", 1, 1);
    for (const Message message : fake::split(batch.bytes)) {
        EXPECT_LT(message.size(), 65536U);
    }
    EXPECT_EQ(decode(batch.bytes).maps.at(0).elements.size(), map.elements.size());
}

TEST(Codec, KnowsTheStepOfEachMessage) {
    const Plan plan = statnat::plan(layout(example(Counters::pair), Engine::native), {});
    const Batch batch = encode(plan, "statnat", 1, 100);
    const auto messages = fake::split(batch.bytes);
    ASSERT_EQ(batch.steps.size(), messages.size());
    for (std::size_t i = 0; i < messages.size(); ++i) {
        EXPECT_EQ(fake::header_of(messages[i]).nlmsg_seq, 100 + i);
    }
    EXPECT_EQ(fake::header_of(messages.front()).nlmsg_type, NFNL_MSG_BATCH_BEGIN);
    EXPECT_EQ(fake::header_of(messages.back()).nlmsg_type, NFNL_MSG_BATCH_END);
    EXPECT_EQ(batch.confirmed, 100 + messages.size() - 2);
    EXPECT_EQ(batch.step(99), Batch::no_step);
    EXPECT_EQ(batch.step(100), Batch::no_step);
    EXPECT_EQ(batch.step(101), 0U);
    EXPECT_EQ(batch.step(batch.confirmed), plan.size() - 1);
    EXPECT_EQ(batch.step(batch.confirmed + 1), Batch::no_step);
    EXPECT_EQ(batch.step(batch.confirmed + 2), Batch::no_step);
}

// The ABI of the expression, byte by byte.
TEST(Codec, WritesTheExpressionAsItsHeaderSays) {
    Chain chain;
    chain.name = "c";
    chain.rules.emplace_back().statements = {
        SnatStateless{.field = Field::destination,
                      .maps = {{"map", {}, false, Prefix::parse("198.51.100.0/22")},
                               {"map_48", 48, true, Prefix::parse("2001:db8::/47")}},
                      .notrack = true}};
    const Bytes bytes = encode({AddChain{Family::ipv4, chain}}, "statnat", 1, 1).bytes;
    const Bytes expected{
        19, 0, 1, 0, 's', 'n', 'a', 't', '_', 's', 't', 'a', 't', 'e', 'l', 'e', 's', 's', 0, 0,  // NFTA_EXPR_NAME
        120, 0, 2, 0x80,                                                                          // NFTA_EXPR_DATA
        8,  0, 1, 0, 0, 0, 0, 1,                                                                  // FIELD: daddr
        100, 0, 2, 0x80,                                                                          // MAPS
        36, 0, 1, 0x80,
        8,  0, 1, 0, 'm', 'a', 'p', 0,  // MAP_NAME
        8,  0, 4, 0, 0, 0, 0, 0,        // MAP_FLAGS
        8,  0, 5, 0, 198, 51, 100, 0,   // MAP_WITHIN
        8,  0, 6, 0, 0, 0, 0, 22,       // MAP_WITHIN_LENGTH
        60, 0, 1, 0x80,
        11, 0, 1, 0, 'm', 'a', 'p', '_', '4', '8', 0, 0,
        8,  0, 3, 0, 0, 0, 0, 48,  // MAP_PREFIX
        8,  0, 4, 0, 0, 0, 0, 1,   // MAP_FLAGS: npt
        20, 0, 5, 0, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        8,  0, 6, 0, 0, 0, 0, 47,
        8,  0, 3, 0, 0, 0, 0, 1,   // FLAGS: notrack
    };
    EXPECT_NE(std::search(bytes.begin(), bytes.end(), expected.begin(), expected.end()), bytes.end());
}

// A message of the batch with `from` replaced by `to`.
Bytes changed(Bytes bytes, std::string_view from, std::string_view to) {
    const auto found = std::search(bytes.begin(), bytes.end(), from.begin(), from.end());
    EXPECT_NE(found, bytes.end());
    std::copy(to.begin(), to.end(), found);
    return bytes;
}

// NFTA_EXPR_DATA of the statement saddr map @m, as a dump has it, with what else is given.
Rule dumped(const Bytes& more) {
    Bytes data{8, 0, 1, 0, 0, 0, 0, 0,                                                        // FIELD: saddr
               24, 0, 2, 0x80, 20, 0, 1, 0x80, 6, 0, 1, 0, 'm', 0, 0, 0, 8, 0, 4, 0, 0, 0, 0, 0,  // MAPS
               8, 0, 3, 0, 0, 0, 0, 0,                                                        // FLAGS
               12, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 7};                                          // DROPPED
    data.insert(data.end(), more.begin(), more.end());
    Bytes list{static_cast<std::uint8_t>(data.size() + 28), 0, 1, 0x80, 19, 0, 1, 0, 's', 'n', 'a', 't', '_', 's',
               't', 'a', 't', 'e', 'l', 'e', 's', 's', 0, 0, static_cast<std::uint8_t>(data.size() + 4), 0, 2, 0x80};
    list.insert(list.end(), data.begin(), data.end());
    return rule_in(list, Family::ipv4);
}

// What is counted is no part of a rule, and is nothing, not 0, where nobody tells it.
TEST(Codec, ReadsWhatTheExpressionHasSeen) {
    const std::vector<Statement> statement{SnatStateless{.field = Field::source, .maps = {{"m"}}}};
    const Rule of_an_older_module = dumped({});
    EXPECT_EQ(of_an_older_module.statements, statement);
    EXPECT_EQ(of_an_older_module.dropped, 7U);
    EXPECT_FALSE(of_an_older_module.counts);

    Bytes counts{136, 0, 32, 0x80};
    for (std::uint8_t type = 2; type <= 12; ++type) {
        const Bytes one{12, 0, type, 0, 0, 0, 0, 0, 0, 0, 1, type};
        counts.insert(counts.end(), one.begin(), one.end());
    }
    const Rule rule = dumped(counts);
    EXPECT_EQ(rule.statements, statement);
    EXPECT_EQ(rule.counts, (Counts{258, 259, 260, 261, 262, 263, 264, 265, 266, 267, 268}));
}

TEST(Codec, TellsForeignExpressions) {
    Chain chain;
    chain.name = "c";
    chain.rules.emplace_back().statements = {Notrack{}, SetAddress{Field::source, "m"}, Counter{}};
    const Bytes bytes = encode({AddChain{Family::ipv4, chain}}, "statnat", 1, 1).bytes;
    const Table table = decode(changed(bytes, "notrack", "noteack"));
    EXPECT_EQ(table.chains.at(0).rules.at(0).statements,
              (std::vector<Statement>{Foreign{"noteack"}, SetAddress{Field::source, "m"}, Counter{}}));

    const Table other_set = decode(changed(bytes, "lookup", "lookuq"));
    const std::vector<Statement> expected{Notrack{}, Foreign{"payload"}, Foreign{"lookuq"}, Foreign{"payload"},
                                          Counter{}};
    EXPECT_EQ(other_set.chains.at(0).rules.at(0).statements, expected);
}

// Whatever follows, attribute 3 of another expression than a comparison is no value to compare with.
TEST(Codec, TakesAMatchThatIsNotOursForForeign) {
    Rule rule;
    rule.statements = {MatchIcmpType{8, 8}, SetAddress{Field::source, "m"}};
    EXPECT_EQ(read_back(rule, Family::ipv4), rule);
    Chain chain;
    chain.name = "c";
    chain.rules.emplace_back().statements = {MatchIcmpType{3, 5}};
    const Bytes bytes = encode({AddChain{Family::ipv4, chain}}, "statnat", 1, 1).bytes;
    const Table table = decode(changed(bytes, "payload", "paylead"));
    EXPECT_EQ(table.chains.at(0).rules.at(0).statements.front(), Statement{Foreign{"meta"}});
}

TEST(Codec, TakesAnExpressionWithAnUnknownFlagForForeign) {
    Chain chain;
    chain.name = "c";
    chain.rules.emplace_back().statements = {SnatStateless{.field = Field::source, .maps = {{"m"}}, .tracked = true}};
    const Bytes bytes = encode({AddChain{Family::ipv4, chain}}, "statnat", 1, 1).bytes;
    const Table table = decode(changed(bytes, std::string_view("\x08\0\3\0\0\0\0\x08", 8),
                                       std::string_view("\x08\0\3\0\0\0\0\x88", 8)));
    EXPECT_EQ(table.chains.at(0).rules.at(0).statements, (std::vector<Statement>{Foreign{"snat_stateless"}}));
}

TEST(Codec, TakesAMapOfOtherTypesForForeign) {
    const Map map{.name = "m", .capacity = 3, .elements = {}};
    const Bytes bytes = encode({AddMap{Family::ipv4, map}}, "statnat", 1, 1).bytes;
    EXPECT_FALSE(decode(bytes).maps.at(0).foreign);
    // NFTA_SET_KEY_TYPE: inet_service
    const Table table =
        decode(changed(bytes, std::string_view("\x08\0\4\0\0\0\0\7", 8), std::string_view("\x08\0\4\0\0\0\0\x0d", 8)));
    EXPECT_TRUE(table.maps.at(0).foreign);
    EXPECT_EQ(table.maps[0].name, "m");
}

TEST(Codec, PassesOverOtherTables) {
    const Bytes bytes = encode(plan(layout(example(Counters::pair), Engine::native), {}), "statnat", 1, 1).bytes;
    Bytes other = bytes;
    constexpr std::string_view table_name = "statnat";
    for (auto at = other.begin();;) {
        at = std::search(at, other.end(), table_name.begin(), table_name.end());
        if (at == other.end()) {
            break;
        }
        *at = 'x';
    }
    const Table table = decode(other);
    EXPECT_TRUE(table.maps.empty());
    EXPECT_TRUE(table.prefix_sets.empty());
    EXPECT_TRUE(table.chains.empty());
}

// Cut anywhere or changed anywhere, a message is read or refused; sanitizers and valgrind watch this test.
TEST(Codec, SurvivesBrokenMessages) {
    const Bytes bytes = encode(plan(layout(example(Counters::pair), Engine::native), {}), "statnat", 1, 1).bytes;
    std::size_t refused = 0;
    for (const Message message : fake::split(bytes)) {
        for (std::size_t at = sizeof(nlmsghdr); at < message.size(); ++at) {
            for (const std::uint8_t value : Bytes{0x00, 0x01, 0xff}) {
                Bytes broken(message.begin(), message.end());
                broken[at] = value;
                Bytes cut(message.begin(), message.begin() + static_cast<std::ptrdiff_t>(at));
                for (Bytes* one : {&broken, &cut}) {
                    const auto size = static_cast<std::uint32_t>(one->size());
                    std::memcpy(one->data(), &size, sizeof size);
                    try {
                        decode(*one);
                    } catch (const CannotGoOn&) {
                        ++refused;
                    }
                }
            }
        }
    }
    EXPECT_GT(refused, 0U);
}

TEST(Codec, NamesMessages) {
    EXPECT_EQ(message_name((NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_NEWRULE), "NEWRULE");
    EXPECT_EQ(message_name((NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_GETGEN), "GETGEN");
    EXPECT_EQ(message_name((NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_DELFLOWTABLE), "DELFLOWTABLE");
    EXPECT_EQ(message_name(NFNL_MSG_BATCH_BEGIN), "BATCH_BEGIN");
    EXPECT_EQ(message_name(NLMSG_DONE), "DONE");
    EXPECT_EQ(message_name(12345), "message 12345");
}

}  // namespace
}  // namespace statnat
