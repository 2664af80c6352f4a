// SPDX-License-Identifier: GPL-2.0-or-later
// Configurations, good and bad: each error with its place, its sentence, and all the others of its file.
#include "config/configuration_files.hpp"

#include "config/configuration_text.hpp"

#include "errors_of.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace statnat {
namespace {

namespace fs = std::filesystem;

using Lines = std::vector<std::string>;
using Files = std::map<std::string, std::string>;

const std::string all_csv = "[gateway]\npairs-files = [\"*.csv\"]\n";
const std::string no_address =
    " is neither an address nor a prefix: legal is one such as 10.0.0.2, fd00::2 or 10.1.0.0/24";

class ConfigTest : public testing::Test {
protected:
    void SetUp() override {
        std::string name = (fs::temp_directory_path() / "statnat-unit-XXXXXX").string();
        ASSERT_NE(mkdtemp(name.data()), nullptr);
        directory_ = name;
    }

    void TearDown() override { fs::remove_all(directory_); }

    fs::path write(const std::string& name, const std::string& text) {
        fs::create_directories((directory_ / name).parent_path());
        std::ofstream(directory_ / name, std::ios::binary) << text;
        return directory_ / name;
    }

    Configuration read(const std::string& toml, const Files& files = {}) {
        for (const auto& [name, text] : files) {
            write(name, text);
        }
        return read_configuration(write("statnat.toml", toml));
    }

    // The errors of a configuration; its directory is left out of them.
    Lines errors(const std::string& toml, const Files& files = {}) {
        return errors_of(directory_, [&] { read(toml, files); });
    }

    fs::path directory_;
};

Lines print(const Pairs& pairs) {
    Lines lines;
    for (const Pair& pair : pairs) {
        lines.push_back(pair.text() + (pair.comment.empty() ? "" : " # " + pair.comment.text()));
    }
    return lines;
}

TEST_F(ConfigTest, ReadsTheExampleOfTheManual) {
    write("pairs.d/a.csv", "10.0.0.1,198.51.100.1\n10.0.0.10,198.51.100.10,web\n");
    const Configuration configuration = read(R"([gateway]
engine = "auto"
counters = "pair"                        # pair | rule | off
exempt-destinations = ["10.0.0.0/8"]     # outbound traffic to these is left alone, and stays tracked
pairs-files = ["pairs.d/*.csv"]          # internal,external[,comment]
[pairs]
"10.0.0.2" = "198.51.100.2"
"10.0.0.3" = { external = "198.51.100.3", comment = "mail" }
)");
    EXPECT_EQ(configuration.engine, std::nullopt);
    EXPECT_EQ(configuration.counters, Counters::pair);
    EXPECT_EQ(configuration.exempt_destinations, std::vector<Prefix>{*Prefix::parse("10.0.0.0/8")});
    EXPECT_EQ(print(configuration.pairs), (Lines{"10.0.0.1 198.51.100.1", "10.0.0.2 198.51.100.2",
                                                 "10.0.0.3 198.51.100.3 # mail", "10.0.0.10 198.51.100.10 # web"}));
}

TEST_F(ConfigTest, NeedsNothing) {
    for (const char* toml : {"", "[gateway]\n", "[pairs]\n", "# nothing\n", "[gateway]\npairs-files = []\n"}) {
        const Configuration configuration = read(toml);
        EXPECT_EQ(configuration.engine, std::nullopt);
        EXPECT_EQ(configuration.counters, Counters::pair);
        EXPECT_TRUE(configuration.exempt_destinations.empty());
        EXPECT_TRUE(configuration.pairs.empty());
    }
}

TEST_F(ConfigTest, ReadsEachEngineAndEachCounting) {
    EXPECT_EQ(read("[gateway]\nengine = \"expression\"").engine, Engine::expression);
    EXPECT_EQ(read("[gateway]\nengine = \"native\"").engine, Engine::native);
    EXPECT_EQ(read("[gateway]\nengine = \"auto\"").engine, std::nullopt);
    EXPECT_EQ(read("[gateway]\ncounters = \"pair\"").counters, Counters::pair);
    EXPECT_EQ(read("[gateway]\ncounters = \"rule\"").counters, Counters::rule);
    EXPECT_EQ(read("[gateway]\ncounters = \"off\"").counters, Counters::off);
}

TEST_F(ConfigTest, ReadsEveryFormOfAPair) {
    const Configuration configuration = read(R"([pairs]
"10.0.0.2" = "198.51.100.2"
'10.0.0.3' = { external = '198.51.100.3' }
[pairs."10.0.0.4"]
comment = "mail"
external = "198.51.100.4"
)");
    EXPECT_EQ(print(configuration.pairs),
              (Lines{"10.0.0.2 198.51.100.2", "10.0.0.3 198.51.100.3", "10.0.0.4 198.51.100.4 # mail"}));
}

TEST_F(ConfigTest, ReadsBothFamiliesAndPutsIPv4First) {
    const Configuration configuration = read(all_csv + R"([pairs]
"fd00:1::2" = "2001:db8:1::2"
"10.0.0.2" = "198.51.100.2"
"FD00:1::0:A" = { external = "2001:DB8:1:0:0:0:0:A", comment = "mail" }
)",
                                             {{"a.csv", "fd00:1::3,2001:db8:1::3,web\n10.0.0.3,198.51.100.3\n"}});
    EXPECT_EQ(print(configuration.pairs),
              (Lines{"10.0.0.2 198.51.100.2", "10.0.0.3 198.51.100.3", "fd00:1::2 2001:db8:1::2",
                     "fd00:1::3 2001:db8:1::3 # web", "fd00:1::a 2001:db8:1::a # mail"}));
}

TEST_F(ConfigTest, TakesExemptDestinationsAsTheyAre) {
    const Configuration configuration = read("[gateway]\nexempt-destinations = [\"10.0.0.0/9\", \"10.0.0.0/8\", "
                                             "\"10.0.0.0/8\", \"192.0.2.1\", \"0.0.0.0/0\", \"FD00::/8\", "
                                             "\"2001:db8::1\"]");
    ASSERT_EQ(configuration.exempt_destinations.size(), 7U);
    EXPECT_EQ(configuration.exempt_destinations[3].text(), "192.0.2.1/32");
    EXPECT_EQ(configuration.exempt_destinations[5].text(), "fd00::/8");
    EXPECT_EQ(configuration.exempt_destinations[6].text(), "2001:db8::1/128");
}

// ---- what TOML files get wrong -------------------------------------------------------------------------------------

TEST_F(ConfigTest, TellsEachErrorWithItsPlace) {
    const std::string engines = R"(: legal are "auto", "expression" and "native")";
    const std::string countings = R"(: legal are "pair", "rule" and "off")";
    const std::string interfaces = R"(: legal is an array of names such as ["wan0", "ppp*"])";
    const std::string exempt = R"(: legal is an array of prefixes such as ["10.0.0.0/8", "fd00::/8"])";
    const std::string files = R"(: legal is an array of file names and patterns such as ["pairs.d/*.csv"])";
    const std::string externals = R"(: legal is one such as "198.51.100.2", or ["198.51.100.2", "198.51.100.9"])";
    const std::string equal = ": legal are two prefixes of equal length";
    const std::string host = ": legal is the IPv4 address of one host";
    const std::string ipv6_host = ": legal is the IPv6 address of one host";
    const std::string one_family = ": legal are two IPv4 or two IPv6 addresses";
    const std::string pair = R"(: legal is "198.51.100.2" or { external = "198.51.100.2", comment = "mail" })";
    const std::string comment = ": legal are 127 bytes of printable UTF-8 without \"";
    struct Case {
        std::string toml;
        Lines errors;
    };
    const std::vector<Case> cases = {
        // keys and types
        {"gatway = 1", {"1:1: unknown key \"gatway\": legal are the tables gateway, source and pairs"}},
        {"\n [gatway]\nengine = 1", {"2:3: unknown key \"gatway\": legal are the tables gateway, source and pairs"}},
        {"gateway = 1", {"1:1: gateway is an integer: legal is a table"}},
        {"  pairs = [1]", {"1:3: pairs is an array: legal is a table"}},
        {"[[pairs]]\n\"10.0.0.2\" = \"198.51.100.2\"", {"1:3: pairs is an array: legal is a table"}},
        {"[gateway]\n engin = 1",
         {"2:2: unknown key \"engin\": legal are engine, counters, exempt-destinations, only-destinations, exclude, "
          "except, external-interfaces, pairs-files, npt, ruleset-file, neighbours, announce, fail-closed, mark, "
          "vrf, conntrack, icmp-error-source and fast-path"}},
        {"[gateway]\nengine = \"fast\"", {"2:10: engine is \"fast\"" + engines}},
        {"[gateway]\nengine = \"Auto\"", {"2:10: engine is \"Auto\"" + engines}},
        {"[gateway]\nengine = 1", {"2:10: engine is an integer" + engines}},
        {"[gateway]\nengine = [\"auto\"]", {"2:10: engine is an array" + engines}},
        {"[gateway]\ncounters = \"pairs\"", {"2:12: counters is \"pairs\"" + countings}},
        {"[gateway]\nneighbours = \"yes\"", {"2:14: neighbours is \"yes\": legal are true and false"}},
        {"[gateway]\nannounce = 1", {"2:12: announce is an integer: legal are true and false"}},
        {"[gateway]\ncounters = off", {"2:12: Error while parsing value: could not determine value type"}},
        {"[gateway]\ncounters = true", {"2:12: counters is a boolean" + countings}},
        {"[gateway]\ncounters = 1.5", {"2:12: counters is a floating-point number" + countings}},
        {"[gateway]\ncounters = 2024-01-01", {"2:12: counters is a date or time" + countings}},
        // a VRF
        {"[gateway]\nvrf = 1\nmark = 1",
         {"2:7: vrf is an integer: legal is the name of a VRF device, such as \"red\""}},
        {"[gateway]\nvrf = \"re*\"",
         {"2:7: vrf is \"re*\": legal is the name of a VRF device, such as \"red\""}},
        {"[gateway]\nvrf = \"red\"",
         {"2:7: vrf without mark: legal beside it is a bit of packets' marks that nobody else uses, such as mark = "
          "0x00010000"}},
        {"[gateway]\nvrf = \"red\"\nmark = 1\nfail-closed = true",
         {"2:7: vrf beside fail-closed: legal is one of them"}},
        {"[gateway]\nvrf = \"red\"\nmark = 1\nexternal-interfaces = [\"wan0\"]",
         {"2:7: vrf beside external-interfaces: legal is one of them"}},
        // a fast path
        {"[gateway]\nfast-path = 1", {"2:13: fast-path is an integer: legal are true and false"}},
        {"[gateway]\nfast-path = true\nconntrack = \"follow\"",
         {"2:13: fast-path beside conntrack = \"follow\": legal is one of them, since conntrack must see all hooks of "
          "what it follows"}},
        {"[gateway]\nfast-path = true\nfail-closed = true",
         {"2:13: fast-path beside fail-closed: legal is one of them, since postrouting takes its mark from packets"}},
        {"[gateway]\ncounters = \"rule\"\nfast-path = true",
         {"3:13: fast-path beside counters = \"rule\": legal is \"pair\" or \"off\", since the rule of postrouting "
          "would have nothing to count"}},
        {"[gateway]\nvrf = \"red\"\nmark = 1\nfast-path = true",
         {"4:13: fast-path beside vrf: legal is one of them, since what comes by a VRF goes through hooks twice"}},
        // external interfaces
        {"[gateway]\nexternal-interfaces = \"wan0\"", {"2:23: external-interfaces is \"wan0\"" + interfaces}},
        {"[gateway]\nexternal-interfaces = [1, \"a*b\", \"seventeen-letters\", \"a b\"]",
         {"2:24: an external interface is an integer" + interfaces,
          "2:27: \"a*b\": an asterisk stands for the rest of a name, behind its beginning" + interfaces,
          "2:34: \"seventeen-letters\": an interface has a name of 1 to 15 bytes" + interfaces,
          "2:55: \"a b\": no interface has such a name" + interfaces}},
        {"[gateway]\nexternal-interfaces = [\"a\", \"b\", \"c\", \"d\", \"e\", \"f\", \"g\", \"h\", \"i\"]",
         {"2:23: external-interfaces has 9 names: legal are up to 8, of which one such as \"ppp*\" stands for all that "
          "begin so"}},
        {"[gateway]\nexternal-interfaces = [\"a\"]\nexempt-destinations = [\"0.0.0.0/0\"]",
         {"3:23: external-interfaces beside an exempt destination of length 0: legal is one of them, since nothing is "
          "left to be translated"}},
        {"[gateway]\nexempt-destinations = [\"10.0.0.0/16\", \"10.1.0.0/16\", \"10.2.0.0/16\", \"10.3.0.0/16\", "
         "\"10.4.0.0/16\", \"10.5.0.0/16\", \"10.6.0.0/16\", \"10.7.0.0/16\", \"10.8.0.0/16\"]\n"
         "external-interfaces = [\"a\"]",
         {"3:23: external-interfaces beside more than 8 exempt-destinations of IPv4: legal are as many; what does not "
          "cross external-interfaces needs none"}},
        // conntrack
        {"[gateway]\nconntrack = \"none\"",
         {"2:13: conntrack is \"none\": legal are \"bypass\" and \"follow\""}},
        {"[gateway]\nconntrack = true", {"2:13: conntrack is a boolean: legal are \"bypass\" and \"follow\""}},
        {"[gateway]\nconntrack = \"follow\"\nvrf = \"red\"\nmark = 1",
         {"2:13: conntrack = \"follow\" beside vrf: legal is one of them, since conntrack knows no two hosts with one "
          "internal address apart"}},
        {"[gateway]\nexempt-destinations = [\"::/0\"]\nconntrack = \"follow\"",
         {"3:13: conntrack = \"follow\" beside an exempt destination of length 0: legal is one of them, since nothing "
          "is left to be translated"}},
        {"[gateway]\nconntrack = \"follow\"\nexempt-destinations = [\"10.0.0.0/16\", \"10.1.0.0/16\", "
         "\"10.2.0.0/16\", \"10.3.0.0/16\", \"10.4.0.0/16\", \"10.5.0.0/16\", \"10.6.0.0/16\", \"10.7.0.0/16\", "
         "\"10.8.0.0/16\"]",
         {"2:13: conntrack = \"follow\" beside more than 8 exempt-destinations of IPv4: legal are as many; what does "
          "not cross external-interfaces needs none"}},
        // exempt destinations
        {"[gateway]\nexempt-destinations = \"10.0.0.0/8\"",
         {"2:23: exempt-destinations is \"10.0.0.0/8\"" + exempt}},
        {"[gateway]\nexempt-destinations = [\"10.0.0.0/8\",\n"
         "  8, \"10.0.0.1/8\", \"ten\", \"fd00::/8\", \"fd00::1/8\"]",
         {"3:3: an integer is not a prefix" + exempt,
          "3:6: \"10.0.0.1/8\" has host bits set: legal is 10.0.0.0/8",
          "3:20: \"ten\" is not a prefix" + exempt,
          "3:39: \"fd00::1/8\" has host bits set: legal is fd00::/8"}},
        // pairs files
        {"[gateway]\npairs-files = \"a.csv\"", {"2:15: pairs-files is \"a.csv\"" + files}},
        {"[gateway]\npairs-files = [true]", {"2:16: a pairs file is a boolean" + files}},
        {"[gateway]\npairs-files = [\"a.csv\", \"b/*.csv\"]",
         {"2:16: \"a.csv\" matches no file: legal is what matches at least one",
          "2:25: \"b/*.csv\" matches no file: legal is what matches at least one"}},
        // addresses
        {"[pairs]\n\"10.0.0.300\" = \"mail\"",
         {"2:1: \"10.0.0.300\"" + no_address, "2:16: \"mail\"" + no_address}},
        {"[pairs]\n10.0.0.2 = \"198.51.100.2\"",
         {"2:1: \"10\" is not an address: legal is one in quotation marks, such as \"10.0.0.2\""}},
        {"[pairs]\nmail = \"198.51.100.2\"", {"2:1: \"mail\"" + no_address}},
        {"[pairs]\nmail = { external = \"198.51.100.2\" }", {"2:1: \"mail\"" + no_address}},
        {"[pairs]\n\"0.0.0.0\" = \"198.51.100.2\"", {"2:1: 0.0.0.0 is the unspecified address" + host}},
        {"[pairs]\n\"127.0.0.1\" = \"198.51.100.2\"", {"2:1: 127.0.0.1 is a loopback address" + host}},
        {"[pairs]\n\"10.0.0.2\" = \"224.0.0.1\"", {"2:14: 224.0.0.1 is a multicast address" + host}},
        {"[pairs]\n\"10.0.0.2\" = \"255.255.255.255\"", {"2:14: 255.255.255.255 is the broadcast address" + host}},
        {"[pairs]\n\"10.0.0.2\" = \"2001:db8::2\"",
         {"2:14: 2001:db8::2 is not of the same family as 10.0.0.2" + one_family}},
        {"[pairs]\n\"fd00::2\" = \"198.51.100.2\"",
         {"2:13: 198.51.100.2 is not of the same family as fd00::2" + one_family}},
        {"[pairs]\n\"::\" = \"::1\"",
         {"2:1: :: is the unspecified address" + ipv6_host, "2:8: ::1 is a loopback address" + ipv6_host}},
        {"[pairs]\n\"FE80::2\" = \"ff02::2\"",
         {"2:1: fe80::2 is a link-local address" + ipv6_host, "2:13: ff02::2 is a multicast address" + ipv6_host}},
        {"[pairs]\n\"::ffff:10.0.0.2\" = \"198.51.100.2\"",
         {"2:1: ::ffff:10.0.0.2 is an IPv4-mapped address" + ipv6_host,
          "2:21: 198.51.100.2 is not of the same family as ::ffff:10.0.0.2" + one_family}},
        {"[pairs]\n\"fd00:1::/48\" = \"2001:db8:1::/56\"",
         {"2:17: 2001:db8:1::/56 is not as long as fd00:1::/48" + equal + ", or npt = true"}},
        {"[pairs]\n\"fd00::2\" = \"fd00:0::2\"",
         {"2:13: fd00::2 is both sides of its pair: legal are two different addresses"}},
        {"[pairs]\n\"fd00::2\" = \"2001:db8::2\"\n\"FD00:0::2\" = \"2001:db8::3\"",
         {"3:1: fd00::2 is already the internal address of 2001:db8::2 (statnat.toml:2)"}},
        {"[pairs]\n\"10.0.0.0/24\" = \"198.51.100.2/32\"",
         {"2:17: 198.51.100.2 is not as long as 10.0.0.0/24" + equal}},
        {"[pairs]\n\"10.0.0.2\" = \"10.0.0.2\"",
         {"2:14: 10.0.0.2 is both sides of its pair: legal are two different addresses"}},
        // pairs as tables
        {"[pairs]\n\"10.0.0.2\" = 5", {"2:14: the external of \"10.0.0.2\" is an integer" + pair}},
        {"[pairs]\n\"10.0.0.2\" = [7]", {"2:15: an external side is an integer" + externals}},
        {"[pairs]\n\"10.0.0.2\" = []", {"2:14: an external side of nothing" + externals}},
        {"[pairs]\n\"10.0.0.2\" = { comment = \"mail\" }", {"2:14: external is missing" + pair}},
        {"[pairs]\n\"10.0.0.2\" = { external = 1, comment = 2 }",
         {"2:27: external is an integer: legal is a string", "2:40: comment is an integer: legal is a string"}},
        {"[pairs]\n\"10.0.0.2\" = { external = \"198.51.100.2\", note = \"mail\" }",
         {"2:43: unknown key \"note\": legal are external, npt and comment"}},
        {"[pairs]\n\"10.0.0.2\" = { external = \"198.51.100.2\", comment = \"" + std::string(128, 'x') + "\" }",
         {"2:53: a comment of 128 bytes" + comment}},
        {"[pairs]\n\"10.0.0.2\" = { external = \"198.51.100.2\", comment = \"a\\nb\" }",
         {"2:53: a comment with a control character, \"a\\x0ab\"" + comment}},
        // an address twice
        {"[pairs]\n\"10.0.0.2\" = \"198.51.100.2\"\n\"10.0.0.3\" = { external = \"198.51.100.2\" }",
         {"3:27: 198.51.100.2 is already the external address of 10.0.0.2 (statnat.toml:2)"}},
        {"[pairs]\n\"10.0.0.2\" = \"198.51.100.2\"\n\n  \"10.0.0.2\" = \"198.51.100.3\"",
         {"4:3: 10.0.0.2 is already the internal address of 198.51.100.2 (statnat.toml:2)"}},
        {"[pairs]\n\"10.0.0.2\" = \"198.51.100.2\"\n\"10.0.0.2\" = \"198.51.100.3\"\n\"10.0.0.4\" = \"198.51.100.3\"",
         {"3:1: 10.0.0.2 is already the internal address of 198.51.100.2 (statnat.toml:2)",
          "4:14: 198.51.100.3 is already the external address of 10.0.0.2 (statnat.toml:3)"}},
        {"[pairs]\n\"10.0.0.2\" = \"198.51.100.2\"\n\"198.51.100.2\" = \"192.0.2.1\"",
         {"3:1: 198.51.100.2 is already the external address of 10.0.0.2 (statnat.toml:2)"
          ": legal is an address on one side only"}},
        {"[pairs]\n\"10.0.0.2\" = \"198.51.100.2\"\n\"10.0.0.3\" = \"10.0.0.2\"",
         {"3:14: 10.0.0.2 is already the internal address of 198.51.100.2 (statnat.toml:2)"
          ": legal is an address on one side only"}},
        {"[pairs]\n\"10.0.0.2\" = \"mail\"\n\"10.0.0.3\" = \"10.0.0.2\"",
         {"2:14: \"mail\"" + no_address,
          "3:14: 10.0.0.2 is already an internal address (statnat.toml:2): legal is an address on one side only"}},
        // TOML itself
        {"[gateway]\nengine = \n", {"2:10: Error while parsing key-value pair: expected value, saw '\\n'"}},
        {"[gateway]\nengine = \"auto\"\n engine = \"native\"", {"3:2: the key \"engine\" is set already"}},
        {"[pairs]\n[gateway]\n[pairs]", {"3:1: this key or table is set already"}},
    };
    for (const Case& c : cases) {
        Lines expected;
        for (const std::string& error : c.errors) {
            expected.push_back("statnat.toml:" + error);
        }
        EXPECT_EQ(errors(c.toml), expected) << c.toml;
    }
}

TEST_F(ConfigTest, TellsAllErrorsInReadingOrder) {
    EXPECT_EQ(errors(R"([pairs]
"10.0.0.3" = "198.51.100.3"
"10.0.0.2" = "224.0.0.1"
"10.0.0.3" = "198.51.100.4"
"10.0.0.1" = "198.51.100.3"
[gateway]
pairs-files = ["*.csv"]
engine = 1
)",
                     {{"b.csv", "10.0.0.3,198.51.100.5\n"}, {"a.csv", "x,y\n\n10.0.0.6,198.51.100.4\n"}}),
              (Lines{
                  "statnat.toml:3:14: 224.0.0.1 is a multicast address: legal is the IPv4 address of one host",
                  "statnat.toml:4:1: 10.0.0.3 is already the internal address of 198.51.100.3 (statnat.toml:2)",
                  "statnat.toml:5:14: 198.51.100.3 is already the external address of 10.0.0.3 (statnat.toml:2)",
                  "statnat.toml:8:10: engine is an integer: legal are \"auto\", \"expression\" and \"native\"",
                  "a.csv:1:1: \"x\"" + no_address,
                  "a.csv:1:3: \"y\"" + no_address,
                  "a.csv:3:10: 198.51.100.4 is already the external address of 10.0.0.3 (statnat.toml:4)",
                  "b.csv:1:1: 10.0.0.3 is already the internal address of 198.51.100.3 (statnat.toml:2)",
              }));
}

TEST_F(ConfigTest, TellsRepeatedLinesBesideASyntaxError) {
    EXPECT_EQ(errors("[pairs]\n\"10.0.0.2\" = \"198.51.100.2\"\n\"10.0.0.2\" = \"198.51.100.3\"\n\"10.0.0.4\" =\n"),
              (Lines{
                  "statnat.toml:3:1: the key \"10.0.0.2\" is set already",
                  "statnat.toml:4:13: Error while parsing key-value pair: expected value, saw '\\n'",
              }));
}

TEST_F(ConfigTest, TellsEveryRepetitionWithBothPlaces) {
    std::string toml = "[gateway]\n[pairs]\n";
    for (int i = 0; i < 1000; ++i) {
        toml += "\"10.0.0.2\" = \"198.51.100.2\"\n";
    }
    const Lines said = errors(toml);
    ASSERT_EQ(said.size(), 2U * 999U);
    EXPECT_EQ(said.front(),
              "statnat.toml:4:1: 10.0.0.2 is already the internal address of 198.51.100.2 (statnat.toml:3)");
    EXPECT_EQ(said.back(),
              "statnat.toml:1002:14: 198.51.100.2 is already the external address of 10.0.0.2 (statnat.toml:3)");
}

TEST_F(ConfigTest, TellsWhatIsWrongInsideARepeatedLine) {
    EXPECT_EQ(errors("[pairs]\n\"10.0.0.2\" = \"198.51.100.2\"\n\"10.0.0.2\" = \"198.51.100.3\"\n"
                     "\"10.0.0.2\" = nothing\n"),
              (Lines{
                  "statnat.toml:3:1: 10.0.0.2 is already the internal address of 198.51.100.2 (statnat.toml:2)",
                  "statnat.toml:4:15: Error while parsing floating-point: expected 'nan', saw 'no'",
              }));
}

// Whether it is one is not told by the words of toml++.
TEST_F(ConfigTest, TellsARepetitionFromASyntaxError) {
    struct Sample {
        std::string toml;
        Lines lines;
    };
    const std::vector<Sample> samples{
        {"[pairs]\n\"10.0.0.2\" = { external = \"198.51.100.2\", external = \"198.51.100.3\" }\n",
         {"statnat.toml:2:54: this key or table is set already"}},
        {"[gateway]\nnpt.a = true\nnpt.a.b = false\n", {"statnat.toml:3:5: this key or table is set already"}},
        {"[gateway]\nexempt-destinations = [\n\"10.0.0.0/8\",\n!\n]\n",
         {"statnat.toml:4:1: Error while parsing value: could not determine value type"}},
        {"[gateway]\nnpt = true false\n",
         {"statnat.toml:2:12: Error while parsing key-value pair: expected a comment or whitespace, saw 'f'"}},
        {"[gateway]\nnpt = ?\n", {"statnat.toml:2:7: Error while parsing value: could not determine value type"}},
    };
    for (const Sample& sample : samples) {
        EXPECT_EQ(errors(sample.toml), sample.lines) << sample.toml;
    }
}

// Keys that are written in two ways, or set in tables: one of them is told.
TEST_F(ConfigTest, TellsARepetitionThatIsNoLineOfItsOwn) {
    EXPECT_EQ(errors("[pairs]\n\"10.0.0.2\" = \"198.51.100.2\"\n'10.0.0.2' = \"198.51.100.3\"\n"),
              Lines{"statnat.toml:3:1: 10.0.0.2 is already the internal address of 198.51.100.2 (statnat.toml:2)"});
    EXPECT_EQ(errors("[pairs]\n\"10.0.0.2\" = \"198.51.100.2\"\n\"10.0.0.\\u0032\" = \"198.51.100.3\"\n"),
              Lines{"statnat.toml:3:19: this key or table is set already"});
    EXPECT_EQ(errors("[pairs]\n\"10.0.0.2\".external = \"198.51.100.2\"\n\"10.0.0.2\".external = \"198.51.100.3\"\n"),
              Lines{"statnat.toml:3:23: this key or table is set already"});
    EXPECT_EQ(errors("[pairs.\"10.0.0.2\"]\nexternal = \"198.51.100.2\"\n[pairs.\"10.0.0.3\"]\nexternal = "
                     "\"198.51.100.3\"\n"),
              Lines{});
}

// The parser goes as deep as they do, until its stack ends.
TEST_F(ConfigTest, RefusesDeepKeys) {
    const std::string sentence = ": a key of too many parts: legal are the tables gateway, source and pairs";
    const auto dotted = [](int parts, const std::string& part) {
        std::string key = part;
        for (int i = 1; i < parts; ++i) {
            key += "." + part;
        }
        return key;
    };
    for (const char* part : {"a", "\"a.b\"", "' # '", "a "}) {
        const std::string deep = dotted(40'000, part);
        EXPECT_EQ(errors(deep + " = 1\n"), Lines{"statnat.toml:1:1" + sentence}) << part;
        EXPECT_EQ(errors("# x\n[" + deep + "]\n"), Lines{"statnat.toml:2:2" + sentence}) << part;
        EXPECT_EQ(errors("a = \"\"\"\n\"\n\"\"\"\nx = { " + deep + " = 1 }\n").front(), "statnat.toml:4:6" + sentence);
    }
    std::string nested;
    for (int i = 0; i < 2'000; ++i) {
        nested += "x = { " + dotted(10, "a") + " = { ";
    }
    EXPECT_EQ(errors(nested).size(), 1U);
    EXPECT_EQ(errors(std::string(100'000, '[')).size(), 1U);
    // What only looks deep.
    const std::string dots(100, '.');
    EXPECT_EQ(errors("# " + dotted(100, "a") + "\n[pairs]\n" +
                     "\"10.0.0.2\" = { external = \"198.51.100.2\", comment = '" + dots + "' }\n" +
                     "\"10.0.0.3\" = { external = \"198.51.100.3\", comment = \"\\\\" + dots + "\" }\n"),
              Lines{});
}

// Twice the work takes twice the time, and not four times. Where all is linear, this takes a second.
TEST_F(ConfigTest, TakesNoQuadraticTime) {
    const auto low = [](int i) {
        return std::to_string(i / 65536) + "." + std::to_string(i / 256 % 256) + "." + std::to_string(i % 256);
    };
    std::string toml = "[pairs]\n";
    for (int i = 0; i < 30'000; ++i) {
        toml += "\"10." + low(i) + "\" = \"20." + low(i) + "\"\n\"10." + low(i) + "\" = \"30." + low(i) + "\"\n";
    }
    const std::clock_t begin = std::clock();  // of this process, however busy the machine is
    EXPECT_EQ(errors(toml).size(), 30'000U);
    for (int i = 0; i < 8'000; ++i) {
        write(std::to_string(i) + ".csv", "10." + low(i) + ",20." + low(i) + "\n");
    }
    EXPECT_EQ(read(all_csv).pairs.size(), 8'000U);
    EXPECT_LT(std::clock() - begin, 60 * CLOCKS_PER_SEC);
}

TEST_F(ConfigTest, TellsWhichFileCannotBeRead) {
    try {
        read_configuration(directory_ / "missing.toml");
        FAIL();
    } catch (const InvalidConfiguration& invalid) {
        ASSERT_EQ(invalid.errors.size(), 1U);
        EXPECT_EQ(invalid.errors[0].line, 0U);
        EXPECT_EQ(invalid.errors[0].text(),
                  fmt::format("{0}: cannot be read: No such file or directory: statnat-nft init --output {0} writes a "
                              "first one",
                              (directory_ / "missing.toml").string()));
    }
    try {
        read_configuration(directory_);
        FAIL();
    } catch (const InvalidConfiguration& invalid) {
        EXPECT_EQ(invalid.errors.at(0).sentence, "cannot be read: Is a directory");
    }
}

// ---- prefixes ------------------------------------------------------------------------------------------------------

TEST_F(ConfigTest, ReadsPrefixesAndNpt) {
    const std::string pairs = R"([pairs]
"fd00:9::/48" = { external = "2001:db8:9::/48", npt = true }
"10.1.0.0/24" = "203.0.113.0/24"
"10.1.0.5/32" = "198.51.100.5"
"fd00:1::/48" = "2001:db8:1::/48"
"fd00:2::/48" = { external = "2001:db8:2::/48", npt = false, comment = "plain" }
"fd00:3::/80" = "2001:db8:3::/80"
"fd00:4::1" = "2001:db8:4::1"
)";
    EXPECT_EQ(print(read(pairs).pairs),
              (Lines{"10.1.0.0/24 203.0.113.0/24", "10.1.0.5 198.51.100.5", "fd00:1::/48 2001:db8:1::/48",
                     "fd00:2::/48 2001:db8:2::/48 # plain", "fd00:3::/80 2001:db8:3::/80", "fd00:4::1 2001:db8:4::1",
                     "fd00:9::/48 2001:db8:9::/48 npt"}));
    EXPECT_EQ(print(read(pairs + "\"fd00:5::/48\" = \"2001:db8:5::/56\"\n[gateway]\nnpt = true\n").pairs),
              (Lines{"10.1.0.0/24 203.0.113.0/24", "10.1.0.5 198.51.100.5", "fd00:1::/48 2001:db8:1::/48 npt",
                     "fd00:2::/48 2001:db8:2::/48 # plain", "fd00:3::/80 2001:db8:3::/80", "fd00:4::1 2001:db8:4::1",
                     "fd00:5::/56 2001:db8:5::/56 npt", "fd00:9::/48 2001:db8:9::/48 npt"}));
}

TEST_F(ConfigTest, ReadsPrefixesAndNptFromPairsFiles) {
    const Configuration configuration =
        read("[gateway]\nnpt = true\npairs-files = [\"*.csv\"]\n",
             {{"a.csv", "fd00:1::/48,2001:db8:1::/48\nfd00:2::/48, 2001:db8:2::/48 \tplain , npt\n"
                        "fd00:3::/48,2001:db8:3::/48 npt,lab\n10.1.0.0/24,203.0.113.0/24\n"}});
    EXPECT_EQ(print(configuration.pairs),
              (Lines{"10.1.0.0/24 203.0.113.0/24", "fd00:1::/48 2001:db8:1::/48 npt",
                     "fd00:2::/48 2001:db8:2::/48 # npt", "fd00:3::/48 2001:db8:3::/48 npt # lab"}));
}

TEST_F(ConfigTest, TellsWhereTheNativeEngineWouldStop) {
    EXPECT_FALSE(read("[pairs]\n\"10.0.0.2\" = \"198.51.100.2\"").not_for_native);
    const auto where = read(all_csv + "[pairs]\n\"10.2.0.0/24\" = \"203.0.112.0/24\"\n",
                            {{"a.csv", "10.0.0.2,198.51.100.2\n10.1.0.0/24,203.0.113.0/24\n"}})
                           .not_for_native;
    ASSERT_TRUE(where);
    EXPECT_EQ(where->text(), (directory_ / "statnat.toml").string() +
                                 ":4:1: 10.2.0.0/24 203.0.112.0/24 needs the engine \"expression\": stock rules cannot "
                                 "keep the host bits of a prefix (install the module nft_snat_stateless, or name each "
                                 "host)");
}

TEST_F(ConfigTest, TellsThatTheNativeEngineHasNoFastPath) {
    EXPECT_FALSE(read("[gateway]\nfast-path = false\n[pairs]\n\"10.0.0.2\" = \"198.51.100.2\"").not_for_native);
    const auto where = read("[gateway]\nfast-path = true\n[pairs]\n\"10.0.0.2\" = \"198.51.100.2\"").not_for_native;
    ASSERT_TRUE(where);
    EXPECT_EQ(where->text(), (directory_ / "statnat.toml").string() +
                                 ":2:13: fast-path by the engine \"native\": legal is it by \"expression\" or "
                                 "\"auto\", since stock rules do not pass packets on");
}

TEST_F(ConfigTest, TellsEachErrorOfAPrefix) {
    const std::string npt = ": legal are IPv6 prefixes from /16 to /64";
    const std::string beside =
        ": legal is one internal for each external, so move one or give 10.1.0.9 a pair of its own";
    struct Case {
        std::string line;
        Lines errors;
    };
    const std::vector<Case> cases = {
        {"\"10.2.0.1/24\" = \"198.51.100.1/25\"",
         {"3:1: \"10.2.0.1/24\" has host bits set: legal is 10.2.0.0/24",
          "3:17: \"198.51.100.1/25\" has host bits set: legal is 198.51.100.0/25"}},
        {"\"10.0.0.0/33\" = \"198.51.100.0/24\"",
         {"3:1: \"10.0.0.0/33\"" + no_address}},
        {"\"0.0.0.0/0\" = \"20.0.0.0/8\"",
         {"3:1: 0.0.0.0/0 is too short a prefix: legal are IPv4 prefixes from /8 on",
          "3:15: 20.0.0.0/8 is not as long as 0.0.0.0/0: legal are two prefixes of equal length"}},
        {"\"fc00::/15\" = \"2000::/15\"",
         {"3:1: fc00::/15 is too short a prefix: legal are IPv6 prefixes from /16 on",
          "3:15: 2000::/15 is too short a prefix: legal are IPv6 prefixes from /16 on"}},
        {"\"224.0.0.0/8\" = { external = \"20.0.0.0/8\" }",
         {"3:1: 224.0.0.0/8 covers a multicast address: legal is a prefix of hosts"}},
        {"\"10.2.0.0/24\" = \"198.51.100.0/25\"",
         {"3:17: 198.51.100.0/25 is not as long as 10.2.0.0/24: legal are two prefixes of equal length"}},
        {"\"10.2.0.0/24\" = \"fd00::/48\"",
         {"3:17: fd00::/48 is not of the same family as 10.2.0.0/24: legal are two IPv4 or two IPv6 prefixes"}},
        {"\"10.2.0.0/24\" = { external = \"198.51.100.0/24\", npt = true }",
         {"3:55: npt of 10.2.0.0/24, which is IPv4" + npt}},
        {"\"fd00::/80\" = { npt = true, external = \"2001:db8::/80\" }",
         {"3:23: npt of fd00::/80, which leaves no interface identifier to adjust" + npt}},
        {"\"fd00::/64\" = { npt = 1, external = \"2001:db8::/64\" }",
         {"3:23: npt is an integer: legal are true and false"}},
        {"\"10.1.0.0/24\" = \"198.51.100.0/24\"",
         {"3:1: 10.1.0.0/24 is already the internal prefix of 203.0.113.0/24 (statnat.toml:2)"}},
        {"\"10.9.0.9\" = \"203.0.113.9\"",
         {"3:14: 203.0.113.9 is inside 203.0.113.0/24, the external prefix of 10.1.0.0/24 (statnat.toml:2), and "
          "10.1.0.9 reaches it too" + beside}},
        {"\"10.1.0.5\" = \"203.0.113.9\"",
         {"3:14: 203.0.113.9 is inside 203.0.113.0/24, the external prefix of 10.1.0.0/24 (statnat.toml:2), and "
          "10.1.0.9 reaches it too" + beside}},
        {"\"203.0.0.0/16\" = \"20.1.0.0/16\"",
         {"3:1: 203.0.0.0/16 covers 203.0.113.0/24, the external prefix of 10.1.0.0/24 (statnat.toml:2): legal is an "
          "address on one side only"}},
    };
    for (const Case& c : cases) {
        Lines expected;
        for (const std::string& error : c.errors) {
            expected.push_back("statnat.toml:" + error);
        }
        EXPECT_EQ(errors("[pairs]\n\"10.1.0.0/24\" = \"203.0.113.0/24\"\n" + c.line), expected) << c.line;
    }
    EXPECT_EQ(errors("[gateway]\nnpt = \"yes\"\npairs-files = [\"*.csv\"]\n",
                     {{"a.csv", "fd00:1::/48,2001:db8:1::/48 nptv6\n10.1.0.0/24, 203.0.113.0/24  npt\n"}}),
              (Lines{"statnat.toml:2:7: npt is \"yes\": legal are true and false",
                     "a.csv:1:29: \"nptv6\" is neither npt, plain nor inbound: legal is one of them behind an external "
                     "side",
                     "a.csv:2:30: npt of 10.1.0.0/24, which is IPv4" + npt}));
}

// ---- drop-ins ------------------------------------------------------------------------------------------------------

TEST_F(ConfigTest, ReadsDropInsBesideAFileOfItsName) {
    const Files files = {{"conf.d/b.toml", "[pairs]\n\"10.0.0.3\" = \"198.51.100.3\"\n"},
                         {"conf.d/a.toml", "[gateway]\ncounters = \"rule\"\n"},
                         {"conf.d/empty.toml", ""}};
    const std::string toml = "[pairs]\n\"10.0.0.2\" = \"198.51.100.2\"\n";
    const Configuration configuration = read(toml, files);
    EXPECT_EQ(print(configuration.pairs), (Lines{"10.0.0.2 198.51.100.2", "10.0.0.3 198.51.100.3"}));
    EXPECT_EQ(configuration.counters, Counters::rule);

    // Whoever keeps another file there asks for that one alone; and what worked last stands alone by any name.
    EXPECT_EQ(print(read_configuration(write("other.toml", toml)).pairs), Lines{"10.0.0.2 198.51.100.2"});
    EXPECT_EQ(print(read_configuration(directory_ / "statnat.toml", DropIns::ignored).pairs),
              Lines{"10.0.0.2 198.51.100.2"});
}

TEST_F(ConfigTest, LeavesAloneWhatIsNoDropIn) {
    EXPECT_EQ(errors("", {{"conf.d/a.toml~", "x"}, {"conf.d/.#a.toml", "x"}, {"conf.d/.a.toml", "x"},
                          {"conf.d/a.toml.dpkg-old", "x"}, {"conf.d/README", "x"}, {"conf.d/more/a.toml", "x"}}),
              Lines{});
}

// The main file, and then by their names; pairs files come behind all of them.
TEST_F(ConfigTest, TellsErrorsOfDropInsInReadingOrder) {
    EXPECT_EQ(errors("[gateway]\npairs-files = [\"*.csv\"]\na = 1\n",
                     {{"x.csv", "x\n"},
                      {"conf.d/9.toml", "[gateway]\nd = 1\n"},
                      {"conf.d/10.toml", "[gateway]\npairs-files = [\"y.csv\", \"../x.csv\"]\nb = 1\n"},
                      {"conf.d/y.csv", "y\n"},
                      {"conf.d/20.toml", "c\n"}}),
              (Lines{"statnat.toml:3:1: unknown key \"a\": legal are engine, counters, exempt-destinations, "
                     "only-destinations, "
                     "exclude, except, external-interfaces, pairs-files, npt, ruleset-file, neighbours, announce, "
                     "fail-closed, mark, vrf, conntrack, icmp-error-source and fast-path",
                     "conf.d/10.toml:3:1: unknown key \"b\": legal are engine, counters, exempt-destinations, "
                     "only-destinations, "
                     "exclude, except, external-interfaces, pairs-files, npt, ruleset-file, neighbours, announce, "
                     "fail-closed, mark, vrf, conntrack, icmp-error-source and fast-path",
                     "conf.d/20.toml:1:2: Error while parsing key-value pair: expected '=', saw '\\n'",
                     "conf.d/9.toml:2:1: unknown key \"d\": legal are engine, counters, exempt-destinations, "
                     "only-destinations, "
                     "exclude, except, external-interfaces, pairs-files, npt, ruleset-file, neighbours, announce, "
                     "fail-closed, mark, vrf, conntrack, icmp-error-source and fast-path",
                     "x.csv:1:1: \"x\" is not a pair: legal is internal,external[,comment]",
                     "conf.d/y.csv:1:1: \"y\" is not a pair: legal is internal,external[,comment]"}));
}

TEST_F(ConfigTest, TellsBothPlacesOfWhatDropInsSayDifferently) {
    const std::string sentence = ": legal is one value in all files";
    EXPECT_EQ(errors("[gateway]\nengine = \"auto\"\nnpt = false\nruleset-file = \"/run/a\"\n",
                     {{"conf.d/a.toml", "[gateway]\ncounters = \"pair\"\nengine = \"native\"\n"},
                      {"conf.d/b.toml", "[gateway]\nnpt = true\n counters = \"off\"\nruleset-file = \"/run/b\"\n"}}),
              (Lines{"conf.d/a.toml:3:10: engine is \"native\" here, but \"auto\" before (statnat.toml:2)" + sentence,
                     "conf.d/b.toml:2:7: npt is true here, but false before (statnat.toml:3)" + sentence,
                     "conf.d/b.toml:3:13: counters is \"off\" here, but \"pair\" before (conf.d/a.toml:2)" + sentence,
                     "conf.d/b.toml:4:16: ruleset-file is \"/run/b\" here, but \"/run/a\" before (statnat.toml:4)" +
                         sentence}));
}

TEST_F(ConfigTest, TellsBothPlacesOfPairsThatOverlapInDropIns) {
    EXPECT_EQ(errors("[pairs]\n\"10.0.0.2\" = \"198.51.100.2\"\n\"10.1.0.0/24\" = \"203.0.113.0/24\"\n",
                     {{"conf.d/a.toml", "[pairs]\n\"10.0.0.2\" = \"198.51.100.9\"\n"},
                      {"conf.d/b.toml", "[gateway]\npairs-files = [\"b.csv\"]\n"},
                      {"conf.d/b.csv", "10.0.0.4,198.51.100.9\n10.9.0.9,203.0.113.9\n"}}),
              (Lines{"conf.d/a.toml:2:1: 10.0.0.2 is already the internal address of 198.51.100.2 (statnat.toml:2)",
                     "conf.d/b.csv:1:10: 198.51.100.9 is already the external address of 10.0.0.2 (conf.d/a.toml:2)",
                     "conf.d/b.csv:2:10: 203.0.113.9 is inside 203.0.113.0/24, the external prefix of 10.1.0.0/24 "
                     "(statnat.toml:3), and 10.1.0.9 reaches it too: legal is one internal for each external, so move "
                     "one or give 10.1.0.9 a pair of its own"}));
}

// By either side, from any file, and as often as one likes.
TEST_F(ConfigTest, ReadsWhatIsExcluded) {
    const Configuration configuration =
        read("[gateway]\nexclude = [\"10.1.0.1\", \"203.0.113.16/28\"]\npairs-files = [\"a.csv\"]\n[pairs]\n"
             "\"10.1.0.20\" = \"198.51.100.20\"\n\"10.9.0.9\" = \"203.0.113.1\"\n",
             {{"a.csv", "10.1.0.0/24,203.0.113.0/24\n"},
              {"conf.d/a.toml", "[gateway]\nexclude = [\"203.0.113.1\", \"10.1.0.1\"]\n"}});
    EXPECT_EQ(configuration.pairs.excluded(),
              (std::vector{*Prefix::parse("10.1.0.1"), *Prefix::parse("10.1.0.16/28")}));
    EXPECT_EQ(configuration.pairs.size(), 3U);
    const std::string settings = settings_as_toml(configuration, "all.csv");
    EXPECT_EQ(read(settings, {{"all.csv", pairs_as_csv(configuration.pairs)}}).pairs, configuration.pairs);
}

TEST_F(ConfigTest, TellsWhatCannotBeExcluded) {
    const std::string inside_none = " is inside no pair of prefixes: legal is what one of them covers, on either side; "
                                    "a host is left alone without a pair";
    const std::string pairs = "[pairs]\n\"10.0.0.2\" = \"198.51.100.2\"\n\"10.1.0.0/24\" = \"203.0.113.0/24\"\n"
                              "\"10.1.0.5\" = \"198.51.100.5\"\n"
                              "\"fd00:1::/48\" = { external = \"2001:db8:1::/48\", npt = true }\n";
    EXPECT_EQ(errors("[gateway]\nexclude = \"10.1.0.1\"\n" + pairs),
              Lines{"statnat.toml:2:11: exclude is \"10.1.0.1\": legal is an array of prefixes such as "
                    "[\"10.1.0.1\", \"10.1.0.16/28\"]"});
    EXPECT_EQ(errors("[gateway]\nexclude = [\"10.0.0.2\", \"10.1.0.0/24\",\n\"10.1.0.5\", \"192.0.2.1\"]\n" + pairs),
              (Lines{"statnat.toml:2:12: 10.0.0.2" + inside_none, "statnat.toml:2:24: 10.1.0.0/24" + inside_none,
                     "statnat.toml:3:1: 10.1.0.5 is already the internal address of 198.51.100.5 (statnat.toml:7)",
                     "statnat.toml:3:13: 192.0.2.1" + inside_none}));
    EXPECT_EQ(errors("[gateway]\nexclude = [\"fd00:1:0:100::/56\", \"2001:db8:1:ffff::1\"]\n" + pairs),
              (Lines{"statnat.toml:2:12: fd00:1:0:100::/56 is no prefix on the other side of fd00:1::/48 "
                     "2001:db8:1::/48 npt: legal is one that npt keeps together",
                     "statnat.toml:2:33: 2001:db8:1:ffff::1 is no prefix on the other side of fd00:1::/48 "
                     "2001:db8:1::/48 npt: legal is one that npt keeps together"}));
}

TEST_F(ConfigTest, ReadsExceptions) {
    const Configuration configuration =
        read("[gateway]\nexcept = [{ external = \"198.51.100.2\", tcp = 8443 },\n"
             "{ internal = \"10.0.0.2\", udp = 53 }, { external = \"198.51.100.2\", protocol = 47 }]\n[pairs]\n"
             "\"10.0.0.2\" = \"198.51.100.2\"\n",
             {{"conf.d/a.toml", "[gateway]\nexcept = [{ tcp = 8443, external = \"198.51.100.2\" }]\n"}});
    const Address internal = *Address::parse("10.0.0.2");
    const Address external = *Address::parse("198.51.100.2");
    EXPECT_EQ(configuration.exceptions, (std::vector<Exception>{{Side::internal, internal, 17, 53},
                                                                {Side::external, external, 6, 8443},
                                                                {Side::external, external, 47, {}}}));
    const std::string settings = settings_as_toml(configuration, "all.csv");
    EXPECT_EQ(read(settings, {{"all.csv", pairs_as_csv(configuration.pairs)}}).exceptions, configuration.exceptions);
    std::string many;
    for (int port = 1; port <= 17; ++port) {
        many += fmt::format("{{ external = \"198.51.100.2\", tcp = {} }},", port);
    }
    EXPECT_EQ(errors("[gateway]\nexcept = [" + many + "]\n[pairs]\n\"10.0.0.2\" = \"198.51.100.2\"\n").size(), 1U);
}

// The same said twice is fine, lists are added up, and npt holds for the pairs of all files, whoever says so.
TEST_F(ConfigTest, AddsUpWhatDropInsSay) {
    const Configuration configuration =
        read("[gateway]\nengine = \"expression\"\nexempt-destinations = [\"10.0.0.0/8\"]\n"
             "pairs-files = [\"a.csv\"]\n[pairs]\n\"fd00:1::/48\" = \"2001:db8:1::/48\"\n",
             {{"a.csv", "10.0.0.2,198.51.100.2\n"},
              {"conf.d/a.csv", "10.0.0.3,198.51.100.3\n"},
              {"conf.d/a.toml", "[gateway]\nengine = \"expression\"\nexempt-destinations = [\"fd00::/8\"]\n"
                                "pairs-files = [\"a.csv\", \"../a.csv\"]\n"},
              {"conf.d/b.toml", "[gateway]\nnpt = true\n"}});
    EXPECT_EQ(configuration.engine, Engine::expression);
    EXPECT_EQ(configuration.exempt_destinations,
              (std::vector<Prefix>{*Prefix::parse("10.0.0.0/8"), *Prefix::parse("fd00::/8")}));
    EXPECT_EQ(print(configuration.pairs), (Lines{"10.0.0.2 198.51.100.2", "10.0.0.3 198.51.100.3",
                                                 "fd00:1::/48 2001:db8:1::/48 npt"}));
}

TEST_F(ConfigTest, TellsWhichDropInCannotBeRead) {
    fs::create_directories(directory_ / "conf.d/a.toml");
    fs::create_symlink("nowhere", directory_ / "conf.d/b.toml");
    EXPECT_EQ(errors("x", {{"conf.d/c.toml", "[pairs]\n\"10.0.0.2\" = 1\n"}}),
              (Lines{"statnat.toml:1:2: Error while parsing key-value pair: encountered end-of-file",
                     "conf.d/a.toml: cannot be read: Is a directory",
                     "conf.d/b.toml: cannot be read: No such file or directory",
                     "conf.d/c.toml:2:14: the external of \"10.0.0.2\" is an integer: legal is \"198.51.100.2\" or { "
                     "external = \"198.51.100.2\", comment = \"mail\" }"}));
}

// What would match nothing has pairs all the same, elsewhere: a file system that is not mounted, for example.
TEST_F(ConfigTest, TellsThatDropInsAreInNoDirectory) {
    const std::string cure = ": legal is a directory of further files, or none";
    fs::create_symlink("nowhere", directory_ / "conf.d");
    EXPECT_EQ(errors(""), Lines{"conf.d: cannot be read: No such file or directory" + cure});
    fs::remove(directory_ / "conf.d");
    EXPECT_EQ(errors("", {{"conf.d", ""}}), Lines{"conf.d: cannot be read: Not a directory" + cure});
    fs::remove(directory_ / "conf.d");
    write("elsewhere/a.toml", "[pairs]\n\"10.0.0.2\" = \"198.51.100.2\"\n");
    fs::create_symlink("elsewhere", directory_ / "conf.d");
    EXPECT_EQ(read("").pairs.size(), 1U);
}

TEST_F(ConfigTest, FindsDropInsOfAConfigurationInTheCurrentDirectory) {
    write("statnat.toml", "");
    write("conf.d/a.toml", "[pairs]\n\"10.0.0.2\" = \"198.51.100.2\"\n");
    const fs::path before = fs::current_path();
    fs::current_path(directory_);
    EXPECT_EQ(read_configuration("statnat.toml").pairs.size(), 1U);
    fs::current_path(before);
}

// ---- pairs files ---------------------------------------------------------------------------------------------------

TEST_F(ConfigTest, ReadsPairsFilesLeniently) {
    const Configuration configuration = read(all_csv, {{"a.csv", "\xef\xbb\xbf# internal,external\r\n"
                                                                 "\r\n"
                                                                 "  10.0.0.2 ,\t198.51.100.2\t,  mail, in and out  \r\n"
                                                                 "10.0.0.3,198.51.100.3 # web\n"
                                                                 "   # nothing\n"
                                                                 "10.0.0.4,198.51.100.4,\n"
                                                                 "10.0.0.5,198.51.100.5,room #5\n"
                                                                 "10.0.0.6,198.51.100.6"}});
    EXPECT_EQ(print(configuration.pairs),
              (Lines{"10.0.0.2 198.51.100.2 # mail, in and out", "10.0.0.3 198.51.100.3", "10.0.0.4 198.51.100.4",
                     "10.0.0.5 198.51.100.5 # room #5", "10.0.0.6 198.51.100.6"}));
}

TEST_F(ConfigTest, ReadsPairsFilesAsSpreadsheetsWriteThem) {
    const std::string two = "10.0.0.2 198.51.100.2";
    const std::string header_of_a_list =
        "internal,external,outbound_packets,outbound_bytes,inbound_packets,inbound_bytes,comment,npt\n";
    struct Case {
        const char* why;
        std::string csv;
        std::string pair;
    };
    const std::vector<Case> cases = {
        {"an empty column", "10.0.0.2,198.51.100.2,", two},
        {"empty columns", "10.0.0.2,198.51.100.2,,, ,", two},
        {"empty columns behind a comment", "10.0.0.2,198.51.100.2,mail,,", two + " # mail"},
        {"an empty row", ",,,\n10.0.0.2,198.51.100.2\n , ,\"\",\n", two},
        {"fields in quotation marks", "\"10.0.0.2\",\"198.51.100.2\",\"mail\"", two + " # mail"},
        {"a comma in them", "10.0.0.2,198.51.100.2,\"mail, in and out\",,", two + " # mail, in and out"},
        {"blanks around them", " \"10.0.0.2\" ,\t\"198.51.100.2\" , \" mail \" ", two + " #  mail "},
        {"a number sign", "10.0.0.2,198.51.100.2,room #5", two + " # room #5"},
        {"a number sign first", "10.0.0.2,198.51.100.2,# 5", two + " # # 5"},
        {"a number sign in quotation marks", "10.0.0.2,198.51.100.2,\"#5, upstairs\"", two + " # #5, upstairs"},
        {"a remark", "10.0.0.2,198.51.100.2 # mail, in and out", two},
        {"a remark right behind", "10.0.0.2,198.51.100.2#mail", two},
        {"a remark that was saved", "\"# internal, external\",,\n10.0.0.2,198.51.100.2", two},
        {"a header", "internal,external\n10.0.0.2,198.51.100.2", two},
        {"its names in quotation marks", "\"Internal\",\"EXTERNAL\",\"Comment\"\r\n10.0.0.2,198.51.100.2,x\r\n",
         two + " # x"},
        {"a header behind remarks", "\xef\xbb\xbf# mine\n\n,,\ninternal,external\n10.0.0.2,198.51.100.2", two},
        {"another order", "comment,external,internal\n\"a, b\",198.51.100.2,10.0.0.2", two + " # a, b"},
        {"and plain lines", "external,internal\n198.51.100.2,10.0.0.2\n", two},
        {"other columns", "id,internal,owner,external\n7,10.0.0.2,\"Smith, J.\",198.51.100.2,,", two},
        {"a list", header_of_a_list + "10.0.0.2,198.51.100.2,1,64,0,0,\"mail, #1\",\n", two + " # mail, #1"},
        {"a list without counters", header_of_a_list + "fd00::/48,2001:db8::/48,,,,,,npt\n",
         "fd00::/48 2001:db8::/48 npt"},
    };
    for (const auto& [why, csv, pair] : cases) {
        SCOPED_TRACE(why);
        EXPECT_EQ(errors(all_csv, {{"a.csv", csv}}), Lines{});
        EXPECT_EQ(print(read(all_csv, {{"a.csv", csv}}).pairs), Lines{pair});
    }
}

// A list says what is; what the gateway does where nothing is said does not matter to it.
TEST_F(ConfigTest, TakesNothingFromTheGatewayBesideAColumnForNpt) {
    EXPECT_EQ(print(read("[gateway]\nnpt = true\npairs-files = [\"a.csv\"]\n",
                         {{"a.csv", "internal,external,npt\n"
                                    "fd00:1::/48,2001:db8:1::/48,npt\nfd00:2::/48,2001:db8:2::/48,\n"
                                    "fd00:3::/48,2001:db8:3::/48,plain\nfd00:4::/48,2001:db8:4::/48 npt,\n"}})
                        .pairs),
              (Lines{"fd00:1::/48 2001:db8:1::/48 npt", "fd00:2::/48 2001:db8:2::/48", "fd00:3::/48 2001:db8:3::/48",
                     "fd00:4::/48 2001:db8:4::/48 npt"}));
}

TEST_F(ConfigTest, TellsEachErrorOfAPairsFile) {
    const std::string comment = ": legal are 127 bytes of printable UTF-8 without \"";
    const std::string quotation = ": a quotation mark that is not where one can be: legal is a field wholly in "
                                  "quotation marks, on one line, with two for each one inside";
    struct Case {
        std::string csv;
        Lines errors;
    };
    const std::vector<Case> cases = {
        {"\n  10.0.0.2 # alone", {"2:3: \"10.0.0.2\" is not a pair: legal is internal,external[,comment]"}},
        {"10.0.0.2 198.51.100.2",
         {"1:1: \"10.0.0.2 198.51.100.2\" is not a pair: legal is internal,external[,comment]"}},
        {"10.0.0.2,", {"1:10: \"\"" + no_address}},
        {"10.0.0.2, fd00::2",
         {"1:11: fd00::2 is not of the same family as 10.0.0.2: legal are two IPv4 or two IPv6 addresses"}},
        {"fd00::2,fe80::2", {"1:9: fe80::2 is a link-local address: legal is the IPv6 address of one host"}},
        {",198.51.100.2", {"1:1: \"\"" + no_address}},
        {",,x", {"1:1: \"\"" + no_address, "1:2: \"\"" + no_address}},
        {"internal,extern",
         {"1:1: \"internal\"" + no_address, "1:10: \"extern\"" + no_address}},
        {"10.0.0.2,198.51.100.2\ninternal,external\n",
         {"2:1: \"internal\"" + no_address, "2:10: \"external\"" + no_address}},
        {"external,x,internal\n 10.0.0.2,y", {"2:2: \"10.0.0.2,y\" is not a pair: legal is what the first line names"}},
        {"internal,external,npt\nfd00::/48,2001:db8::/48,yes",
         {"2:25: \"yes\" is neither npt, plain nor inbound: legal is one of them, or nothing"}},
        {"internal,external\n10.0.0.2,198.51.100.2, mail",
         {"2:24: \"mail\" is one field too many: legal is a comment with commas in quotation marks"}},
        {"10.0.0.2,198.51.100.2,\"mail\", in",
         {"1:31: \"in\" is one field too many: legal is a comment with commas in quotation marks"}},
        {"10.0.0.2, 198.51.100.256", {"1:11: \"198.51.100.256\"" + no_address}},
        {"10.0.0.2, 127.0.0.1 ,x", {"1:11: 127.0.0.1 is a loopback address: legal is the IPv4 address of one host"}},
        {"10.0.0.2,198.51.100.2, " + std::string(128, 'x'), {"1:24: a comment of 128 bytes" + comment}},
        {"10.0.0.2,198.51.100.2,a\tb", {"1:23: a comment with a control character, \"a\\x09b\"" + comment}},
        {"10.0.0.2,198.51.100.2,\"so-called \"\"mail\"\"\"",
         {"1:23: a comment with a quotation mark, \"so-called \"mail\"\"" + comment}},
        {"10.0.0.2,198.51.100.2,so-called \"mail\"\n10.0.0.3,198.51.100.3,\"mail\n\"\n"
         "10.0.0.4,198.51.100.4\"\n10.0.0.5\n",
         {"1:33" + quotation, "2:23" + quotation, "3:1" + quotation, "4:22" + quotation,
          "5:1: \"10.0.0.5\" is not a pair: legal is internal,external[,comment]"}},
        {"10.0.0.2,198.51.100.2,b\xfcro", {"1:23: a comment that is not UTF-8, \"b\\xfcro\"" + comment}},
        {"224.0.0.1,198.51.100.2\n224.0.0.1,198.51.100.3",
         {"1:1: 224.0.0.1 is a multicast address: legal is the IPv4 address of one host",
          "2:1: 224.0.0.1 is a multicast address: legal is the IPv4 address of one host"}},
        {"10.0.0.2,198.51.100.2\r\n10.0.0.3,198.51.100.2\r\n",
         {"2:10: 198.51.100.2 is already the external address of 10.0.0.2 (a.csv:1)"}},
        {"10.0.0.2,198.51.100.2\n10.0.0.2,198.51.100.2\n",
         {"2:1: 10.0.0.2 is already the internal address of 198.51.100.2 (a.csv:1)",
          "2:10: 198.51.100.2 is already the external address of 10.0.0.2 (a.csv:1)"}},
        {"10.0.0.2,198.51.100.2\n192.0.2.1,10.0.0.2\n10.0.0.2,192.0.2.3\n",
         {"2:11: 10.0.0.2 is already the internal address of 198.51.100.2 (a.csv:1)"
          ": legal is an address on one side only",
          "3:1: 10.0.0.2 is already the internal address of 198.51.100.2 (a.csv:1)"}},
    };
    for (const Case& c : cases) {
        Lines expected;
        for (const std::string& error : c.errors) {
            expected.push_back("a.csv:" + error);
        }
        EXPECT_EQ(errors(all_csv, {{"a.csv", c.csv}}), expected) << c.csv;
    }
}

TEST_F(ConfigTest, ReadsPairsFilesInOrderAndEachOnce) {
    const std::string toml = "[gateway]\npairs-files = [\"b.csv\", \"*.csv\", \"./a.csv\", \"link\"]\n";
    const Files files = {{"a.csv", "10.0.0.2,198.51.100.2\n"}, {"b.csv", "10.0.0.3,198.51.100.3\n"}, {"c.csv", ""}};
    write("a.csv", "");
    fs::create_symlink("a.csv", directory_ / "link");
    EXPECT_EQ(print(read(toml, files).pairs), (Lines{"10.0.0.2 198.51.100.2", "10.0.0.3 198.51.100.3"}));

    // b comes first, and then the rest in alphabetical order.
    EXPECT_EQ(errors(toml, {{"b.csv", "1"}, {"a.csv", "2"}, {"c.csv", "3"}}),
              (Lines{"b.csv:1:1: \"1\" is not a pair: legal is internal,external[,comment]",
                     "a.csv:1:1: \"2\" is not a pair: legal is internal,external[,comment]",
                     "c.csv:1:1: \"3\" is not a pair: legal is internal,external[,comment]"}));
}

TEST_F(ConfigTest, FindsPairsFilesBesideTheConfiguration) {
    write("odd [name]*/x.csv", "10.0.0.2,198.51.100.2\n");
    write("elsewhere.csv", "10.0.0.3,198.51.100.3\n");
    const std::string absolute = (directory_ / "elsewhere.csv").string();
    const fs::path file =
        write("odd [name]*/statnat.toml", "[gateway]\npairs-files = [\"?.csv\", \"" + absolute + "\"]\n");
    EXPECT_EQ(print(read_configuration(file).pairs), (Lines{"10.0.0.2 198.51.100.2", "10.0.0.3 198.51.100.3"}));
}

TEST_F(ConfigTest, FindsPairsFilesOfAConfigurationInTheCurrentDirectory) {
    write("a.csv", "10.0.0.2,198.51.100.2\n10.0.0.3\n");
    write("statnat.toml", all_csv);
    const fs::path before = fs::current_path();
    fs::current_path(directory_);
    try {
        read_configuration("statnat.toml");
        ADD_FAILURE();
    } catch (const InvalidConfiguration& invalid) {
        EXPECT_EQ(invalid.errors.at(0).text(),
                  "a.csv:2:1: \"10.0.0.3\" is not a pair: legal is internal,external[,comment]");
    }
    fs::current_path(before);
}

TEST_F(ConfigTest, TellsWhichPairsFileCannotBeRead) {
    fs::create_directory(directory_ / "a.csv");
    fs::create_symlink("nowhere", directory_ / "b.csv");
    EXPECT_EQ(errors(all_csv, {{"c.csv", "x"}}),
              (Lines{"a.csv: cannot be read: Is a directory", "b.csv: cannot be read: No such file or directory",
                     "c.csv:1:1: \"x\" is not a pair: legal is internal,external[,comment]"}));
}

// A line of two plain addresses has a way of its own; a blank at its end sends it the general way.
TEST_F(ConfigTest, ReadsPlainLinesAsAllOthers) {
    std::mt19937 engine(1);
    const auto any_of = [&](const Lines& texts) { return texts[engine() % texts.size()]; };
    const Lines numbers{"0",   "00",  "1",   "01",  "10",  "127", "128",  "198", "223", "224",
                        "239", "240", "255", "256", "300", "999", "1000", "",    "x",   "-1"};
    const Lines usual{"10", "10", "10", "198", "192", "20"};
    const Lines separators{",", ",", ",", ",", ",", ",", ";", ",,", " ", "#", ""};
    const auto address = [&] {
        std::string text = engine() % 4 == 0 ? any_of(numbers) : any_of(usual);
        for (std::size_t more = engine() % 16 == 0 ? 2 + engine() % 3 : 3; more > 0; --more) {
            text += (engine() % 64 == 0 ? "" : ".") + (engine() % 16 == 0 ? any_of(numbers) : any_of(usual));
        }
        return text;
    };
    int good = 0;
    int bad = 0;
    for (int i = 0; i < 2'000; ++i) {
        std::string lines;
        std::string others;
        for (auto count = 1 + engine() % 2; count > 0; --count) {
            const std::string line = address() + any_of(separators) + address();
            lines += line + "\n";
            others += line + " \n";
        }
        const auto outcome = [&](const std::string& text) {
            const Lines found = errors(all_csv, {{"a.csv", text}});
            return found.empty() ? print(read_configuration(directory_ / "statnat.toml").pairs) : found;
        };
        const Lines plain = outcome(lines);
        ASSERT_EQ(plain, outcome(others)) << lines;
        (plain.at(0).starts_with("a.csv") ? bad : good)++;
    }
    EXPECT_GT(good, 200);
    EXPECT_GT(bad, 200);
}

// What has an error is gone through twice, but opened once: it may be a pipe.
TEST_F(ConfigTest, ReadsEachFileOnce) {
    const auto pipe = [&](const char* name) {
        const fs::path path = directory_ / name;
        EXPECT_EQ(mkfifo(path.c_str(), 0600), 0);
        return path;
    };
    const auto fill = [](const fs::path& path, const std::string& text) {
        return std::jthread([=] { std::ofstream(path) << text; });
    };
    const fs::path configuration = pipe("statnat.toml");
    const auto one = fill(configuration, all_csv + "[pairs]\n\"10.0.0.2\" = \"198.51.100.2\"\n");
    const auto other = fill(pipe("a.csv"), "10.0.0.3,198.51.100.3\n10.0.0.2,198.51.100.4\n");
    try {
        read_configuration(configuration);
        ADD_FAILURE();
    } catch (const InvalidConfiguration& invalid) {
        EXPECT_EQ(invalid.errors.at(0).text(),
                  (directory_ / "a.csv").string() + ":2:1: 10.0.0.2 is already the internal address of 198.51.100.2 (" +
                      configuration.string() + ":4)");
    }
}

TEST_F(ConfigTest, ReadsAHundredThousandPairs) {
    std::string csv;
    std::string toml = all_csv + "[pairs]\n";
    for (int i = 0; i < 100'000; ++i) {
        const std::string low =
            std::to_string(i / 65536) + "." + std::to_string(i / 256 % 256) + "." + std::to_string(i % 256);
        csv += "10." + low + ",20." + low + ",host " + std::to_string(i) + "\n";
        if (i < 1000) {
            toml += "\"30." + low + "\" = \"40." + low + "\"\n";
        }
    }
    const Configuration configuration = read(toml, {{"a.csv", csv}});
    ASSERT_EQ(configuration.pairs.size(), 101'000U);
    std::optional<Pair> before;
    for (const Pair& pair : configuration.pairs) {
        ASSERT_TRUE(!before || before->internal < pair.internal);
        before = pair;
    }
    const auto last = configuration.pairs.find(*Prefix::parse("20.1.134.159"), Side::external);
    ASSERT_TRUE(last);
    EXPECT_EQ(last->internal.text(), "10.1.134.159/32");
    EXPECT_EQ(last->comment, "host 99999");
}

}  // namespace
}  // namespace statnat
