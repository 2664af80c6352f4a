// SPDX-License-Identifier: GPL-2.0-or-later
// Many elements, in several transactions: into maps that no rule asks yet, before the one that has rules ask them.
//
// While anybody listens to nf_tables, in whatever network namespace, the kernel keeps a message for each element until
// the end of its transaction (nft_commit_notify in net/netfilter/nf_tables_api.c): 8 KB each, or 24 GB for a million
// pairs with counters. Nobody can tell whether somebody listens.
//
// A chain without rules tells whose the maps are that long: it gets another name with each of these transactions, each
// of which is refused if the chain of the one before is not there any more. Whoever makes our tables what they should
// be takes it away.
#pragma once

#include "netlink/netlink.hpp"
#include "records/state_file.hpp"
#include "ruleset/plan.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace statnat {

// Elements that one transaction has where there is a choice.
inline constexpr std::size_t most_at_once = 32'768;

// The name of such a chain, where one is; nothing: nobody is loading, or nobody has been killed while doing so.
std::optional<std::string> loading_mark(const Ruleset& ruleset);

class Loading {
public:
    // What of a plan comes early; nothing if it is done in one transaction. `actual` is where it begins, `after` where
    // it leads.
    static std::optional<Loading> of(const Plan& plan, const Ruleset& actual, const Ruleset& after);

    // The first transaction is for that generation. Calls `done` with the number of elements that are there. Throws
    // CannotGoOn if the kernel refuses one; false: somebody else changed our tables.
    bool run(Netlink& netlink, const std::string& table, std::uint32_t generation,
             const std::function<void(std::size_t)>& done);

    // What is in the maps as long as our mark stands.
    const StateFile::Contents& contents() const { return contents_; }
    bool stands_in(const Ruleset& ruleset) const;

    // Takes back what it has made, if that is still its own.
    void undo(Netlink& netlink, const std::string& table);

private:
    std::string mark(std::size_t committed) const;
    Plan transaction() const;

    std::vector<Plan> parts_{};
    std::set<Family> families_{};
    StateFile::Contents contents_{};
    std::uint32_t who_ = 0;
    std::size_t committed_ = 0;  // transactions
};

}  // namespace statnat
