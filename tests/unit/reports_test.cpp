// SPDX-License-Identifier: GPL-2.0-or-later
// What libnftables says against a text comes in pieces of its choice, and is passed on as soon as it is whole.
#include "stand_ins/report.hpp"

#include <gtest/gtest.h>

namespace statnat {
namespace {

class ReportsTest : public testing::Test {
protected:
    ReportsTest() { documents["file"] = with_stand_ins(original, stand_ins); }

    std::string passed(std::string_view first, std::string_view second) {
        std::string result;
        Reports reports(documents, stand_ins, rewriter, [&](std::string_view text) { result += text; });
        reports.write(first);
        reports.write(second);
        reports.end();
        return result;
    }

    const std::string original =
        "add rule ip t c snat_stateless saddr map @m foo\n"
        "add rule ip t c snat_stateless frog\n";
    StandIns stand_ins{"SABCDEFGHI"};
    Rewriter rewriter{stand_ins};
    Documents documents;
};

constexpr std::string_view written =
    "In file included from outer:1:1-9:\n"
    "file:1:45-47: Error: syntax error, unexpected foo\n"
    "add rule ip t c log prefix \"SABCDEFGHIAAA\"  foo\n"
    "                                            ^^^\n"
    "internal:0:0-0: Error: Could not process rule: Operation not permitted\n"
    "\n"
    "file:1:17-19: Error: unexpected log\n"
    "add rule ip t c log prefix \"SABCDEFGHIAAA\"  foo\n"
    "                ^^^\n"
    "Merging:\n"
    "file:1:1-47: add rule ip t c log prefix \"SABCDEFGHIAAA\"  foo\n"
    "into:\n"
    "\t";

constexpr std::string_view wanted =
    "In file included from outer:1:1-9:\n"
    "file:1:45-47: Error: syntax error, unexpected foo\n"
    "add rule ip t c snat_stateless saddr map @m foo\n"
    "                                            ^^^\n"
    "internal:0:0-0: Error: Could not process rule: Operation not permitted\n"
    "\n"
    "file:1:17-43: Error: unexpected log\n"
    "add rule ip t c snat_stateless saddr map @m foo\n"
    "                ^^^^^^^^^^^^^^^^^^^^^^^^^^^\n"
    "Merging:\n"
    "file:1:1-47: add rule ip t c snat_stateless saddr map @m foo\n"
    "into:\n"
    "\t";

TEST_F(ReportsTest, CutAnywhere) {
    for (std::size_t cut = 0; cut <= written.size(); ++cut) {
        ASSERT_EQ(passed(written.substr(0, cut), written.substr(cut)), wanted) << "cut at " << cut;
    }
}

// So that nothing that was said is lost when libnftables crashes.
TEST_F(ReportsTest, WhatIsWholeDoesNotWait) {
    std::string result;
    Reports reports(documents, stand_ins, rewriter, [&](std::string_view text) { result += text; });
    reports.write("Merging:\n");
    EXPECT_EQ(result, "Merging:\n");
    result.clear();
    reports.write("file:1:45-47: Error: syntax error, unexpected foo\n");
    reports.write("add rule ip t c log prefix \"SABCDEFGHIAAA\"  foo\n");
    EXPECT_EQ(result, "");
    reports.write("                                            ^^^\n");
    EXPECT_EQ(result, "file:1:45-47: Error: syntax error, unexpected foo\n"
                      "add rule ip t c snat_stateless saddr map @m foo\n"
                      "                                            ^^^\n");
    result.clear();
    reports.write("internal:0:0-0: Error: Could not process rule: Operation not permitted\n");
    reports.write("\n");
    EXPECT_EQ(result, "internal:0:0-0: Error: Could not process rule: Operation not permitted\n\n");
}

}  // namespace
}  // namespace statnat
