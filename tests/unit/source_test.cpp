// SPDX-License-Identifier: GPL-2.0-or-later
// Pairs that many gateways have in common: what a file says of their source, what etcd's keys say, and a digest of all.
#include "config/configuration_files.hpp"
#include "etcd/base64.hpp"
#include "etcd/client.hpp"
#include "publish/keys.hpp"
#include "publish/store.hpp"
#include "reports/digest.hpp"
#include "source/value.hpp"

#include "errors_of.hpp"

#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace statnat {
namespace {

namespace fs = std::filesystem;

using Lines = std::vector<std::string>;
using Keys = std::vector<std::pair<std::string, std::string>>;

TEST(Base64, GoesThereAndBack) {
    // RFC 4648, 10
    const Keys vectors{{"", ""},
                       {"f", "Zg=="},
                       {"foo", "Zm9v"},
                       {"foob", "Zm9vYg=="},
                       {"fooba", "Zm9vYmE="},
                       {"foobar", "Zm9vYmFy"}};
    for (const auto& [bytes, text] : vectors) {
        EXPECT_EQ(as_base64(bytes), text);
        EXPECT_EQ(from_base64(text), bytes);
    }
    std::string all;
    for (int byte = 0; byte < 256; ++byte) {
        all += static_cast<char>(byte);
        EXPECT_EQ(from_base64(as_base64(all)), all);
    }
}

TEST(Base64, RefusesWhatIsNone) {
    for (const char* text :
         {"Z", "Zg", "Zg=", "Zg===", "Z===", "=", "====", "Zm9v=Zm9", "Zm9v\n", "Zm9-", "Zh==", "Zm9="}) {
        EXPECT_FALSE(from_base64(text)) << text;
    }
}

TEST(Keys, BeginWithAPrefixUpToAnother) {
    EXPECT_EQ(behind_prefix("/statnat/default/"), "/statnat/default0");
    EXPECT_EQ(behind_prefix("a\xff\xff"), "b");
    EXPECT_EQ(behind_prefix("\xff"), std::string(1, '\0'));
}

TEST(Keys, BesideThePairsAreNotAmongThem) {
    const SourceKeys keys("/statnat/red/");
    EXPECT_EQ(keys.pair("10.0.0.2"), "/statnat/red/10.0.0.2");
    for (const std::string& key : {keys.external("198.51.100.2"), keys.prefixes(), keys.last()}) {
        EXPECT_TRUE(key < keys.prefix() || key >= behind_prefix(keys.prefix())) << key;
    }
}

TEST(Digest, IsSha256) {
    // FIPS 180-2, appendix B, and each length around the end of a block, as sha256sum has it
    EXPECT_EQ(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(sha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
              "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    EXPECT_EQ(sha256(std::string(1000000, 'a')), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Digest, IsOfPairsWithoutTheirComments) {
    const auto host = [](const char* address) { return *Prefix::parse(address); };
    const Pairs some{{host("10.0.0.2"), host("198.51.100.2")},
                     {host("10.0.0.10"), host("198.51.100.3"), false, "mail"}};
    EXPECT_EQ(digest(some), sha256("10.0.0.10,198.51.100.3,\n10.0.0.2,198.51.100.2,\n"));
    EXPECT_EQ(digest(Pairs{}), sha256(""));
}

// ---- values --------------------------------------------------------------------------------------------------------

TEST(Value, IsAnAddressOrATable) {
    EXPECT_EQ(read_value("198.51.100.2").external, "198.51.100.2");
    const SourcePair table =
        read_value(R"({"external": ["198.51.100.2", "198.51.100.9"], "npt": false, "comment": "mail"})");
    EXPECT_EQ(table.external, "198.51.100.2");
    EXPECT_EQ(table.further, Lines{"198.51.100.9"});
    EXPECT_EQ(table.npt, false);
    EXPECT_EQ(table.comment, "mail");
    EXPECT_EQ(table.objection, "");
}

TEST(Value, SaysWhatIsWrong) {
    const std::string legal =
        R"(: legal is 198.51.100.2, or JSON such as {"external": "198.51.100.2", "comment": "mail"})";
    const Keys cases{{"{", "\"{\" is no pair" + legal},
                     {"{}", "external is missing in \"{}\"" + legal},
                     {R"({"external": 1})", "external is of the wrong type in \"{\"external\": 1}\"" + legal},
                     {R"({"external": []})", "external is of the wrong type in \"{\"external\": []}\"" + legal},
                     {R"({"external": "a", "npt": 1})",
                      "npt is of the wrong type in \"{\"external\": \"a\", \"npt\": 1}\"" + legal},
                     {R"({"outer": "a"})", "unknown key \"outer\": legal are external, npt and comment"},
                     {R"({"external": "a", "external": "b"})",
                      "\"{\"external\": \"a\", \"external\": \"b\"}\" is no pair" + legal},
                     {std::string(20000, '1'), "a value of 20000 bytes: legal are up to 16384"}};
    for (const auto& [value, objection] : cases) {
        EXPECT_EQ(read_value(value).objection, objection);
    }
}

TEST(Value, IsReadAsItWasWritten) {
    const auto side = [](const char* text) { return *Prefix::parse(text); };
    const std::vector<std::vector<Pair>> all{
        {{side("10.0.0.2"), side("198.51.100.2")}},
        {{side("10.0.0.2"), side("198.51.100.2"), false, "a \\ and \xc3\xa4"}},
        {{side("10.0.0.2"), side("198.51.100.2")}, {side("10.0.0.2"), side("198.51.100.9"), false, {}, true}},
        {{side("fd00:1::/48"), side("2001:db8:1::/48"), true}}};
    for (const std::vector<Pair>& pairs : all) {
        const SourcePair read = read_value(value_of(pairs));
        EXPECT_EQ(read.objection, "");
        EXPECT_EQ(read.external, pairs.front().external.short_text());
        EXPECT_EQ(read.further.size(), pairs.size() - 1);
        EXPECT_EQ(read.comment, pairs.front().comment.text());
        EXPECT_EQ(read.npt.value_or(false), pairs.front().npt);
    }
}

// ---- files ---------------------------------------------------------------------------------------------------------

class SourceTest : public testing::Test {
protected:
    void SetUp() override {
        std::string name = (fs::temp_directory_path() / "statnat-unit-XXXXXX").string();
        ASSERT_NE(mkdtemp(name.data()), nullptr);
        directory_ = name;
    }

    void TearDown() override { fs::remove_all(directory_); }

    Configuration read(const std::string& toml, const Keys& keys = {}, const std::string& name = "statnat.toml") {
        std::ofstream(directory_ / name) << toml;
        const auto answer = [&](const Source&) {
            ++asked_;
            auto snapshot = std::make_shared<SourceSnapshot>();
            snapshot->revision = 7;
            for (const auto& [key, value] : keys) {
                snapshot->pairs.emplace(key, read_value(value));
            }
            return snapshot;
        };
        return read_configuration(directory_ / name, DropIns::read, {{}, answer});
    }

    Lines errors(const std::string& toml, const Keys& keys = {}) {
        return errors_of(directory_, [&] { read(toml, keys); });
    }

    static Lines print(const Pairs& pairs) {
        Lines lines;
        for (const Pair& pair : pairs) {
            lines.push_back(with_comment(pair));
        }
        return lines;
    }

    fs::path directory_;
    int asked_ = 0;
};

const std::string source = "[source]\netcd = [\"https://etcd:2379\"]\n";

TEST_F(SourceTest, SaysHowEtcdIsReached) {
    const Configuration all = read("[source]\netcd = [\"https://10.0.0.1:2379\", \"https://[fd00::1]:2379\"]\n"
                                   "prefix = \"/fleet/a/\"\nca = \"ca.pem\"\n"
                                   "certificate = \"/c.pem\"\nkey = \"k.pem\"\n"
                                   "user = \"gw\"\npassword-file = \"pw\"\nstale-after = \"5m\"\n"
                                   "only = [\"198.51.100.0/24\"]\n");
    ASSERT_TRUE(all.source);
    EXPECT_EQ(all.source->etcd.endpoints, (Lines{"https://10.0.0.1:2379", "https://[fd00::1]:2379"}));
    EXPECT_EQ(all.source->prefix, "/fleet/a/");
    EXPECT_EQ(all.source->etcd.ca, directory_ / "ca.pem");
    EXPECT_EQ(all.source->etcd.certificate, "/c.pem");
    EXPECT_EQ(all.source->etcd.key, directory_ / "k.pem");
    EXPECT_EQ(all.source->etcd.user, "gw");
    EXPECT_EQ(all.source->etcd.password_file, directory_ / "pw");
    EXPECT_EQ(all.source->stale_after, std::chrono::minutes(5));
    EXPECT_EQ(all.source_revision, 7);
    EXPECT_EQ(read(source).source->prefix, "/statnat/default/");
    EXPECT_EQ(read(source, {}, "red.toml").source->prefix, "/statnat/red/");
    EXPECT_FALSE(read("[pairs]\n").source);
}

TEST_F(SourceTest, TellsEachErrorWithItsPlace) {
    const std::string etcd =
        R"(: legal is an array such as ["https://10.0.0.1:2379", "https://10.0.0.2:2379"])";
    const std::string time = R"(: legal is a time of 1s to 24h, such as "60s", "5m" or "1h")";
    const std::vector<std::pair<std::string, std::string>> cases{
        {"[source]\n", "statnat.toml:1:1: source without etcd" + etcd},
        {"[source]\netcd = \"https://a:1\"\n", "statnat.toml:2:8: etcd is \"https://a:1\"" + etcd},
        {"[source]\netcd = []\n", "statnat.toml:2:8: etcd is an array" + etcd},
        {"[source]\netcd = [\"ftp://a:1\"]\n", "statnat.toml:2:9: \"ftp://a:1\" is no member of etcd" + etcd},
        {"[source]\netcd = [\"https://me:secret@a:1\"]\n",
         "statnat.toml:2:9: \"https://me:secret@a:1\" is no member of etcd" + etcd},
        {source + "prefix = \"statnat\"\n",
         "statnat.toml:3:10: prefix is \"statnat\": legal is the beginning of keys with a slash behind it, such as "
         "\"/statnat/red/\""},
        {source + "stale-after = \"0s\"\n", "statnat.toml:3:15: stale-after is \"0s\"" + time},
        {source + "stale-after = \"25h\"\n", "statnat.toml:3:15: stale-after is \"25h\"" + time},
        {source + "stale-after = 60\n", "statnat.toml:3:15: stale-after is an integer" + time},
        {source + "only = [\"198.51.100.1/24\"]\n",
         "statnat.toml:3:9: \"198.51.100.1/24\" is not a prefix: legal is an array of external prefixes such as "
         "[\"198.51.100.0/24\"]"},
        {source + "certificate = \"c\"\n",
         "statnat.toml:1:1: certificate and key in source: legal are both of them, or none"},
        {source + "user = \"u\"\n",
         "statnat.toml:1:1: user and password-file in source: legal are both of them, or none"},
        {"[source]\netcd = [\"http://a:1\"]\nuser = \"u\"\npassword-file = \"p\"\n",
         "statnat.toml:1:1: ca, certificate or user in source beside http://: legal is https:// alone, since anybody "
         "could read the rest"},
        {source + "ttl = 1\n", "statnat.toml:3:1: unknown key \"ttl\": legal are etcd, prefix, ca, certificate, key, "
                               "user, password-file, stale-after and only"}};
    for (const auto& [toml, error] : cases) {
        EXPECT_EQ(errors(toml), Lines{error});
        EXPECT_EQ(asked_, 0);  // nobody is asked by a file that is wrong
    }
}

TEST_F(SourceTest, HasPairsBesideThoseOfFiles) {
    const Configuration both = read(source + "[pairs]\n\"10.0.0.9\" = \"198.51.100.99\"\n",
                                    {{"10.0.0.2", "198.51.100.2"},
                                     {"10.0.0.3",
                                      R"({"external": ["198.51.100.3", "198.51.100.4"], "comment": "mail"})"},
                                     {"10.1.0.0/24", "203.0.113.0/24"}});
    EXPECT_EQ(print(both.pairs),
              (Lines{"10.0.0.2 198.51.100.2", "10.0.0.3 198.51.100.3 # mail", "10.0.0.3 198.51.100.4 inbound",
                     "10.0.0.9 198.51.100.99", "10.1.0.0/24 203.0.113.0/24"}));
    EXPECT_EQ(asked_, 1);
}

TEST_F(SourceTest, JudgesItsPairsByTheirKeys) {
    EXPECT_EQ(errors(source + "[pairs]\n\"10.0.0.9\" = \"198.51.100.2\"\n", {{"10.0.0.2", "198.51.100.2"}}),
              Lines{"etcd /statnat/default/10.0.0.2: 198.51.100.2 is already the external address of 10.0.0.9 "
                    "(statnat.toml:4)"});
    EXPECT_EQ(
        errors(source, {{"10.0.0.2", "198.51.100.2"}, {"10.0.0.3", "198.51.100.2"}, {"10.0.0.4", "{"}}).size(), 2U);
    EXPECT_EQ(errors(source, {{"FD00::2", "2001:db8::2"}}),
              Lines{"etcd /statnat/default/FD00::2: \"FD00::2\" is written otherwise: legal is fd00::2, so that no "
                    "pair has two keys"});
    EXPECT_EQ(errors(source, {{"x", "198.51.100.2"}}).size(), 1U);
    EXPECT_EQ(errors("[gateway]\nengine = \"native\"\n" + source, {{"10.1.0.0/24", "203.0.113.0/24"}}), Lines{});
    EXPECT_EQ(read(source, {{"10.1.0.0/24", "203.0.113.0/24"}}).not_for_native->file,
              "etcd /statnat/default/10.1.0.0/24");
}

TEST_F(SourceTest, HasAShardOfThem) {
    const Keys keys{{"10.0.0.2", "198.51.100.2"},
                    {"10.0.0.3", "198.51.101.3"},
                    {"10.0.0.4", R"({"external": "198.51.101.4", "comment": "far"})"},
                    {"10.0.0.5", R"({"external": "198.51.100.5", "comment": "near"})"}};
    EXPECT_EQ(print(read(source + "only = [\"198.51.100.0/24\"]\n", keys).pairs),
              (Lines{"10.0.0.2 198.51.100.2", "10.0.0.5 198.51.100.5 # near"}));
    EXPECT_EQ(read(source + "only = [\"198.51.100.0/24\", \"198.51.101.0/24\"]\n", keys).pairs.size(), 4U);
    EXPECT_EQ(errors(source + "only = [\"198.51.100.0/25\"]\n", {{"10.1.0.0/24", "198.51.100.0/24"}}),
              Lines{"etcd /statnat/default/10.1.0.0/24: 198.51.100.0/24 is larger than what this gateway has (only): "
                    "legal is one that is wholly in it, or not at all"});
}

TEST_F(SourceTest, ReadsPairsOfAFileToPublish) {
    std::ofstream(directory_ / "some.csv") << "10.0.0.2,198.51.100.2\n10.0.0.3,198.51.100.3,mail\n";
    EXPECT_EQ(print(read_pairs(directory_ / "some.csv")),
              (Lines{"10.0.0.2 198.51.100.2", "10.0.0.3 198.51.100.3 # mail"}));
    std::ofstream(directory_ / "some.toml") << source + "[pairs]\n\"10.0.0.2\" = \"198.51.100.2\"\n";
    EXPECT_EQ(print(read_pairs(directory_ / "some.toml")), Lines{"10.0.0.2 198.51.100.2"});
}

TEST_F(SourceTest, PublishesNothingThatOnlyOneGatewayKnows) {
    const auto why_not = [&](const std::string& text) -> std::string {
        std::ofstream(directory_ / "some.toml") << text;
        try {
            read_pairs(directory_ / "some.toml");
            return "read";
        } catch (const InvalidConfiguration& invalid) {
            return invalid.errors.front().sentence;
        }
    };
    EXPECT_EQ(why_not("[pairs]\n\"10.0.0.2\" = \"198.51.100.2\"\n\"10.0.0.4\" = \"address of ppp0\"\n"),
              "has the pair of 10.0.0.4 that follows an interface: legal are pairs whose external side stands there, "
              "since each gateway has interfaces of its own");
    EXPECT_EQ(why_not("[gateway]\nexclude = [\"10.1.0.1\"]\n[pairs]\n\"10.1.0.0/24\" = \"203.0.113.0/24\"\n"),
              "excludes 10.1.0.1: legal is exclude in the configuration of each gateway, since it is no pair");
}

}  // namespace
}  // namespace statnat
