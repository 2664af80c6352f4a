// SPDX-License-Identifier: GPL-2.0-or-later
// What is kept from run to run: all of it, and nothing that could be somebody else's or from another time.
#include "records/state_file.hpp"

#include "ruleset/layout.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include <sys/stat.h>
#include <unistd.h>

namespace statnat {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t cookie = 4711;
constexpr const char* boot = "3c1f7dbc-54a8-4d10-8b19-bbf5ea53f71a";
constexpr std::uint32_t generation = 7;

class StateFileTest : public testing::Test {
protected:
    StateFileTest() : directory_(make_directory() / "run"), file_(directory_ / ("netns-" + std::to_string(cookie))) {}
    ~StateFileTest() override { fs::remove_all(directory_.parent_path()); }

    StateFile state() const { return StateFile({directory_, cookie, boot}); }

    const fs::path directory_;
    const fs::path file_;

private:
    static fs::path make_directory() {
        std::string name = fs::temp_directory_path() / "statnat-state-XXXXXX";
        return ::mkdtemp(name.data());
    }
};

Pair make_pair(const std::string& internal, const std::string& external, const std::string& comment = "",
               bool npt = false) {
    return {*Prefix::parse(internal), *Prefix::parse(external), npt, comment};
}

Ruleset example(Engine engine = Engine::expression) {
    Configuration configuration;
    configuration.pairs = Pairs{make_pair("10.0.0.2", "198.51.100.2"),
                           make_pair("10.0.0.3", "198.51.100.3", "a\nb \xc3\xbc"),
                           make_pair("10.1.0.0/24", "203.0.113.0/24"), make_pair("10.1.0.5", "192.0.2.5"),
                           make_pair("fd00:1::2", "2001:db8::2", std::string(127, 'x')),
                           make_pair("fd00:2::/48", "2001:db8:2::/48", "", true)};
    configuration.exempt_destinations = {*Prefix::parse("10.0.0.0/8")};
    return layout(configuration, engine);
}

void expect_all_of(const Ruleset& ruleset, const std::optional<StateFile::Contents>& contents) {
    ASSERT_TRUE(contents);
    std::size_t maps = 0;
    for (const Table& table : ruleset) {
        for (const Map& map : table.maps) {
            const auto found = contents->find(std::pair(table.family, map.name));
            ASSERT_NE(found, contents->end()) << map.name;
            EXPECT_EQ(found->second, map.elements) << map.name;
            ++maps;
        }
    }
    EXPECT_EQ(contents->size(), maps);
}

TEST_F(StateFileTest, RemembersEveryElementOfEveryMap) {
    state().keep(generation, example());
    expect_all_of(example(), state().recall(generation));
    state().keep(generation + 1, example(Engine::native));
    expect_all_of(example(Engine::native), state().recall(generation + 1));
}

TEST_F(StateFileTest, KnowsNothingAtFirst) {
    EXPECT_FALSE(state().recall(generation));
    EXPECT_FALSE(StateFile().recall(generation));
    StateFile().keep(generation, example());
}

TEST_F(StateFileTest, IsForOneTimeAndPlaceOnly) {
    state().keep(generation, example());
    EXPECT_FALSE(state().recall(generation - 1));
    EXPECT_FALSE(state().recall(generation + 1));
    EXPECT_FALSE(StateFile({directory_, cookie, "another boot"}).recall(generation));
    EXPECT_FALSE(StateFile({directory_, cookie + 1, boot}).recall(generation));
    fs::copy_file(file_, directory_ / "netns-4712");
    EXPECT_FALSE(StateFile({directory_, cookie + 1, boot}).recall(generation));
    expect_all_of(example(), state().recall(generation));
}

TEST_F(StateFileTest, IsGoneWithTheTables) {
    state().keep(generation, example());
    ASSERT_TRUE(fs::exists(file_));
    state().keep(generation + 1, {});
    EXPECT_FALSE(fs::exists(file_));
}

TEST_F(StateFileTest, DoesNotSpeakOfMapsThatWereNotRead) {
    Ruleset ruleset = example();
    const std::string name = ruleset[0].maps[0].name;
    ruleset[0].maps[0].foreign = true;
    state().keep(generation, ruleset);
    const auto contents = state().recall(generation);
    ASSERT_TRUE(contents);
    EXPECT_FALSE(contents->contains(std::pair(Family::ipv4, name)));
    EXPECT_TRUE(contents->contains(std::pair(Family::ipv4, ruleset[0].maps[1].name)));
}

TEST_F(StateFileTest, IsForItsOwnerOnly) {
    state().keep(generation, example());
    struct stat status{};
    ASSERT_EQ(::stat(file_.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, 0600U);
    ASSERT_EQ(::stat(directory_.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, 0700U);
}

TEST_F(StateFileTest, IsNotBelievedWhereOthersMayWrite) {
    const auto expect_distrust = [&](const std::function<void()>& change) {
        fs::remove_all(directory_);
        state().keep(generation, example());
        ASSERT_TRUE(state().recall(generation));
        change();
        EXPECT_FALSE(state().recall(generation));
    };
    expect_distrust([&] { fs::permissions(file_, fs::perms::group_write, fs::perm_options::add); });
    expect_distrust([&] { fs::permissions(file_, fs::perms::others_write, fs::perm_options::add); });
    expect_distrust([&] { fs::permissions(directory_, fs::perms::others_write, fs::perm_options::add); });
    expect_distrust([&] {
        fs::rename(file_, directory_ / "other");
        fs::create_symlink("other", file_);
    });
    expect_distrust([&] {
        fs::rename(directory_, directory_.parent_path() / "elsewhere");
        fs::create_symlink("elsewhere", directory_);
    });
    fs::remove(directory_);
    if (::geteuid() == 0) {
        expect_distrust([&] { EXPECT_EQ(::chown(file_.c_str(), 1, 1), 0); });
        expect_distrust([&] { EXPECT_EQ(::chown(directory_.c_str(), 1, 1), 0); });
    }
}

TEST_F(StateFileTest, IsBelievedAgainAfterTheNextOne) {
    state().keep(generation, example());
    fs::permissions(file_, fs::perms::group_write, fs::perm_options::add);
    state().keep(generation, example());
    EXPECT_TRUE(state().recall(generation));
    fs::rename(file_, directory_ / "other");
    fs::create_symlink("other", file_);
    state().keep(generation, example());
    EXPECT_TRUE(state().recall(generation));
    EXPECT_FALSE(fs::is_symlink(file_));
}

TEST_F(StateFileTest, IsNotBelievedWhenItIsCutOffOrOdd) {
    state().keep(generation, example());
    std::string whole;
    {
        std::ifstream file(file_, std::ios::binary);
        whole = {std::istreambuf_iterator<char>(file), {}};
    }
    const auto recalled = [&](const std::string& text) {
        std::ofstream(file_, std::ios::binary) << text;
        return state().recall(generation);
    };
    ASSERT_TRUE(recalled(whole));
    for (std::size_t size = 0; size < whole.size(); ++size) {
        const auto contents = recalled(whole.substr(0, size));
        // Cut between two maps it is whole, and speaks of fewer maps.
        if (contents) {
            EXPECT_LT(contents->size(), 10U);
            for (const auto& [name, elements] : *contents) {
                EXPECT_TRUE(elements.is_ascending());
            }
        }
    }
    EXPECT_FALSE(recalled(whole + "x"));
    const std::size_t map = whole.find('\n') + 1;
    EXPECT_FALSE(recalled(std::string(whole).replace(map, 1, "2")));
    EXPECT_FALSE(recalled(std::string(whole).replace(whole.find("int2ext 3"), 9, "int2ext x")));
    EXPECT_FALSE(recalled(std::string(whole).replace(whole.find("commented"), 9, "whatever!")));
    // The first key becomes larger than the second.
    const std::size_t row = whole.find('\n', map) + 1;
    EXPECT_FALSE(recalled(std::string(whole).replace(row, 1, "\xff")));
}

TEST_F(StateFileTest, IsOneOfSixteen) {
    const auto path = [&](std::uint64_t number) { return directory_ / ("netns-" + std::to_string(number)); };
    for (std::uint64_t number = 1; number <= 20; ++number) {
        StateFile({directory_, number, boot}).keep(generation, example());
        const auto age = std::chrono::hours(20 - number);
        fs::last_write_time(path(number), fs::file_time_type::clock::now() - age);
    }
    std::ofstream(directory_ / "other") << "x";
    state().keep(generation, example());
    EXPECT_FALSE(fs::exists(path(5)));
    EXPECT_TRUE(fs::exists(path(6)));
    EXPECT_TRUE(fs::exists(file_));
    EXPECT_TRUE(fs::exists(directory_ / "other"));
}

TEST_F(StateFileTest, DoesWithoutAPlace) {
    const StateFile nowhere({"/proc/statnat", cookie, boot});
    nowhere.keep(generation, example());
    EXPECT_FALSE(nowhere.recall(generation));
}

}  // namespace
}  // namespace statnat
