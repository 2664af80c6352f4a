// SPDX-License-Identifier: GPL-2.0-or-later
// What is loaded with the module and without it, and what is said of the rest.
#include "commands/engine.hpp"
#include "empty_kernel.hpp"
#include "ruleset/layout.hpp"
#include "ruleset/plan.hpp"

#include <cerrno>

#include <gtest/gtest.h>

namespace statnat {
namespace {

using Lines = std::vector<std::string>;

Pair pair(std::string_view internal, std::string_view external, bool npt = false) {
    return {Prefix::parse(internal).value(), Prefix::parse(external).value(), npt};
}

const Pair two = pair("10.0.0.2", "198.51.100.2");
const Pair six = pair("fd00:1::2", "2001:db8:1::2");
const Pair wide = pair("10.1.0.0/24", "203.0.113.0/24");
const Pair inside_wide = pair("10.1.0.5", "198.51.100.5");
const Pair in_its_hole = pair("10.9.0.5", "203.0.113.5");
const Pair neutral = pair("fd00:2::/48", "2001:db8:2::/48", true);

const std::string no_module = "there is no module nft_snat_stateless for this kernel (build and install it, then: "
                              "modprobe nft_snat_stateless)";
const std::string natively = "engine native, since " + no_module +
                             ": ICMP errors are translated in their outer header only, and more is lacking "
                             "(statnat-nft status names it under \"lacks:\")";

Configuration of(Pairs pairs) {
    Configuration configuration;
    configuration.pairs = std::move(pairs);
    return configuration;
}

// Of a kernel that answers a rule with the expression so.
Loadable loadable(int error, EngineChoice choice, const Configuration& configuration, const Ruleset& actual = {}) {
    fake::EmptyKernel empty;
    empty.answer_batch = [&](Message batch) {
        return fake::Replies{
            fake::acknowledgement(fake::header_of(fake::split(batch).back()).nlmsg_seq, error)};
    };
    Progress progress;
    Kernel kernel = fake::kernel_of(empty, progress);
    return statnat::loadable(kernel, choice, configuration, actual);
}

void expect_same(const Ruleset& one, const Ruleset& other) {
    EXPECT_TRUE(plan(one, other).empty());
}

TEST(Loadable, IsAllWithTheModule) {
    const Configuration configuration = of({two, wide, neutral});
    for (const EngineChoice choice : {EngineChoice{}, EngineChoice{Engine::expression}}) {
        const Loadable all = loadable(0, choice, configuration);
        EXPECT_EQ(all.engine, Engine::expression);
        expect_same(all.ruleset(), layout(configuration, Engine::expression));
        EXPECT_TRUE(all.waiting.empty());
        EXPECT_EQ(all.status(), exit_done);
        EXPECT_EQ(losses(all), Lines{});
    }
}

TEST(Loadable, IsAllWhereRulesUseTheModule) {
    const Configuration configuration = of({two, wide});
    const Ruleset actual = layout(of({two, neutral}), Engine::expression);
    EXPECT_EQ(loadable(ENOENT, {}, configuration, actual).engine, Engine::expression);
}

TEST(Loadable, IsHostsWithoutTheModule) {
    const Loadable hosts = loadable(ENOENT, {}, of({two, six}));
    EXPECT_EQ(hosts.engine, Engine::native);
    expect_same(hosts.ruleset(), layout(of({two, six}), Engine::native));
    EXPECT_EQ(hosts.status(), exit_done);
    EXPECT_EQ(losses(hosts), Lines{natively + "; where that is wanted, engine = \"native\" says so"});
}

TEST(Loadable, LetsPrefixesWaitForTheModule) {
    const Loadable some = loadable(ENOENT, {}, of({two, wide, six, neutral}));
    EXPECT_EQ(some.engine, Engine::native);
    EXPECT_EQ(some.configuration.pairs, (Pairs{two, six}));
    EXPECT_EQ(some.waiting, (Pairs{wide, neutral}));
    expect_same(some.ruleset(), layout(of({two, six}), Engine::native));
    EXPECT_EQ(some.status(), exit_waiting);
    EXPECT_EQ(losses(some),
              (Lines{natively, "2 pairs of prefixes wait for the module, untranslated until a sync finds it: "
                               "10.1.0.0/24 203.0.113.0/24, fd00:2::/48 2001:db8:2::/48 npt"}));
}

TEST(Loadable, MayBeNothing) {
    const Loadable nothing = loadable(ENOENT, {}, of({wide}));
    EXPECT_TRUE(nothing.ruleset().empty());
    EXPECT_EQ(nothing.status(), exit_waiting);
    EXPECT_EQ(losses(nothing),
              Lines{"1 pair of prefixes waits for the module, untranslated until a sync finds it, since " + no_module +
                    ": 10.1.0.0/24 203.0.113.0/24"});
    EXPECT_EQ(losses(loadable(ENOENT, {}, {})), Lines{});
}

TEST(Loadable, NamesAFewOfMany) {
    std::vector<Pair> many;
    for (int i = 1; i < 6; ++i) {
        many.push_back(pair("10." + std::to_string(i) + ".0.0/16", "198." + std::to_string(i) + ".0.0/16"));
    }
    const std::string said = losses(loadable(ENOENT, {}, of(Pairs(many)))).at(0);
    EXPECT_TRUE(said.ends_with(": 10.1.0.0/16 198.1.0.0/16, 10.2.0.0/16 198.2.0.0/16, 10.3.0.0/16 198.3.0.0/16 and 2 "
                               "more")) << said;
}

// Nobody leaves a hole in what waits, and what goes into the hole is a pair as any other.
TEST(Loadable, KnowsNoHolesOfPairsThatWait) {
    const Configuration configuration = of({wide, inside_wide, in_its_hole});
    expect_same(loadable(ENOENT, {}, configuration).ruleset(),
                layout(of({inside_wide, in_its_hole}), Engine::native));
}

std::string refusal(int error, Engine choice, const Configuration& configuration) {
    try {
        loadable(error, choice, configuration);
    } catch (const CannotGoOn& refusal) {
        EXPECT_EQ(refusal.status, exit_refused);
        return refusal.sentence;
    } catch (const InvalidConfiguration& invalid) {
        return "invalid: " + invalid.errors.at(0).sentence;
    }
    return "no error";
}

TEST(Loadable, IsNothingWhereTheModuleIsAskedForByName) {
    const std::string start = "engine \"expression\" is not available: " + no_module + "; or use engine ";
    EXPECT_EQ(refusal(ENOENT, Engine::expression, of({two})), start + "\"native\"");
    EXPECT_EQ(refusal(ENOENT, Engine::expression, of({two, wide})),
              start + "\"auto\", with which hosts are loaded and pairs of prefixes wait");
}

TEST(Loadable, NothingIsLostWhereTheNativeEngineIsAskedForByName) {
    const Loadable hosts = loadable(ENOENT, Engine::native, of({two}));
    EXPECT_EQ(hosts.engine, Engine::native);
    EXPECT_EQ(losses(hosts), Lines{});
    Configuration configuration = of({two, wide});
    configuration.not_for_native = {"statnat.toml", 3, 1, "cannot be"};
    EXPECT_EQ(refusal(0, Engine::native, configuration), "invalid: cannot be");
    EXPECT_NO_THROW(refuse_contradiction({}, configuration));
}

}  // namespace
}  // namespace statnat
