// SPDX-License-Identifier: GPL-2.0-or-later
// What libnftables writes comes in pieces of its choice: whatever they are, our statement comes out whole.
#include "stand_ins/restoring_stream.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace statnat {
namespace {

const SnatStateless outbound{.field = Field::source, .maps = {{.name = "m"}}, .untracked = true};
const SnatStateless inbound{.field = Field::destination, .maps = {{.name = "n"}}, .notrack = true};

class RestoringStreamTest : public testing::Test {
protected:
    void SetUp() override {
        stand_ins.name(outbound);
        stand_ins.name(inbound);
        stand_ins.name(Unreadable{});
    }

    // Pieces in, pieces out.
    std::string passed(const std::vector<std::string_view>& pieces) {
        std::string result;
        RestoringStream stream(stand_ins, [&](std::string_view text) { result += text; });
        for (const std::string_view piece : pieces) {
            stream.write(piece);
        }
        stream.flush();
        missed = stream.missed_one();
        return result;
    }

    StandIns stand_ins{"SABCDEFGHI"};  // names are SABCDEFGHIAAA, ...AAB, ...AAC
    bool missed = false;
};

struct Case {
    const char* why;
    std::string written;
    std::string wanted;
    bool missed = false;
};

const std::string statement = "snat_stateless saddr map @m untracked";
const std::string json_statement = R"("snat_stateless": {"field": "saddr", "map": "@m", "flags": "untracked"})";

const Case cases[] = {
    {"nothing", "", ""},
    {"stock text", "iifname \"lo\" accept\n", "iifname \"lo\" accept\n"},
    {"a log statement of the user", "log prefix \"S\" log prefix \"SABCDEFGH\"",
     "log prefix \"S\" log prefix \"SABCDEFGH\""},
    {"text", "\t\tcounter log prefix \"SABCDEFGHIAAA\" accept\n", "\t\tcounter " + statement + " accept\n"},
    {"text, at the end", "log prefix \"SABCDEFGHIAAA\"", statement},
    {"text, before a quote", "log prefix \"SABCDEFGHIAAA\"\"log\": {", statement + "\"log\": {"},
    {"two of them, without a blank", "log prefix \"SABCDEFGHIAAA\"log prefix \"SABCDEFGHIAAB\"",
     statement + "snat_stateless daddr map @n notrack"},
    {"beginnings before it", "l lo log log  log prefix log log prefix \"SABCDEFGHIAAA\"l",
     "l lo log log  log prefix log " + statement + "l"},
    {"JSON", R"([{"counter": null}, {"log": {"prefix": "SABCDEFGHIAAA"}}, {"accept": null}])",
     R"([{"counter": null}, {)" + json_statement + R"(}, {"accept": null}])"},
    {"JSON, beginnings before it", R"({"log": {"log": {"prefix": {"log": {"prefix": "SABCDEFGHIAAA"}})",
     R"({"log": {"log": {"prefix": {)" + json_statement + "}"},
    {"debug output", "  [ log prefix SABCDEFGHIAAA ]\n", "  [ " + statement + " ]\n"},
    {"of another version", "log prefix \"SABCDEFGHIAAC\"", "snat_stateless of-another-version map @unknown"},
    {"a way that is not known", "log level info prefix \"SABCDEFGHIAAA\"",
     "log level info prefix \"SABCDEFGHIAAA\"", true},
    {"JSON that is not known", R"({"log": {"prefix":"SABCDEFGHIAAA"}})",
     R"({"log": {"prefix":"SABCDEFGHIAAA"}})", true},
    {"more in it than we put there", R"({"log": {"prefix": "SABCDEFGHIAAA", "group": 1}})",
     R"({"log": {"prefix": "SABCDEFGHIAAA", "group": 1}})", true},
    {"an end that never comes", "log prefix \"SABCDEFGHIAAA", "log prefix \"SABCDEFGHIAAA", true},
    {"no name of this process", "log prefix \"SABCDEFGHI~~~\" SABCDEFGHIAAZ",
     "log prefix \"SABCDEFGHI~~~\" SABCDEFGHIAAZ"},
};

TEST_F(RestoringStreamTest, Whole) {
    for (const Case& each : cases) {
        EXPECT_EQ(passed({each.written}), each.wanted) << each.why;
        EXPECT_EQ(missed, each.missed) << each.why;
        EXPECT_EQ(restored(each.written, stand_ins), each.wanted) << each.why;
    }
}

TEST_F(RestoringStreamTest, CutAnywhere) {
    for (const Case& each : cases) {
        const std::string_view written = each.written;
        for (std::size_t first = 0; first <= written.size(); ++first) {
            for (std::size_t second = first; second <= written.size(); ++second) {
                ASSERT_EQ(passed({written.substr(0, first), written.substr(first, second - first),
                                  written.substr(second)}),
                          each.wanted)
                    << each.why << ", cut at " << first << " and " << second;
                ASSERT_EQ(missed, each.missed) << each.why << ", cut at " << first << " and " << second;
            }
        }
    }
}

TEST_F(RestoringStreamTest, ByteByByte) {
    for (const Case& each : cases) {
        std::vector<std::string_view> bytes;
        for (const char& byte : each.written) {
            bytes.emplace_back(&byte, 1);
        }
        EXPECT_EQ(passed(bytes), each.wanted) << each.why;
    }
}

// 64 KiB without the end of a line, and a stand-in across each boundary that anybody may have had in mind.
TEST_F(RestoringStreamTest, LongLines) {
    for (const auto& [one, other] : {std::pair{std::string("log prefix \"SABCDEFGHIAAA\""), statement},
                                     std::pair{std::string("{\"log\": {\"prefix\": \"SABCDEFGHIAAA\"}}"),
                                               "{" + json_statement + "}"}}) {
        std::string written;
        std::string wanted;
        while (written.size() < 200 * 1024) {
            const std::string padding(written.size() % 61, '.');
            written += padding + one;
            wanted += padding + other;
        }
        for (const std::size_t size : {1, 61, 4096, 65536}) {
            std::vector<std::string_view> pieces;
            for (std::size_t at = 0; at < written.size(); at += size) {
                pieces.push_back(std::string_view(written).substr(at, size));
            }
            EXPECT_TRUE(passed(pieces) == wanted) << one << " in pieces of " << size;
        }
    }
}

// So that nothing that was said is lost when libnftables crashes.
TEST_F(RestoringStreamTest, OnlyABeginningWaits) {
    std::string result;
    RestoringStream stream(stand_ins, [&](std::string_view text) { result += text; });
    stream.write("table ip t { ");
    EXPECT_EQ(result, "table ip t { ");
    stream.write("counter log prefix");
    EXPECT_EQ(result, "table ip t { counter ");
    stream.write(" \"mine\"");
    EXPECT_EQ(result, "table ip t { counter log prefix \"mine");  // the quote may begin a key of JSON
    stream.flush();
    EXPECT_EQ(result, "table ip t { counter log prefix \"mine\"");
}

}  // namespace
}  // namespace statnat
