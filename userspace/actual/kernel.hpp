// SPDX-License-Identifier: GPL-2.0-or-later
// The kernel of this network namespace: what it holds, what it can do, and taking a plan through it.
#pragma once

#include "actual/loading.hpp"
#include "actual/reader.hpp"
#include "error.hpp"
#include "names.hpp"
#include "netlink/netlink.hpp"
#include "netlink/patience.hpp"
#include "netlink/watch.hpp"
#include "pairs/overlaps.hpp"
#include "progress.hpp"
#include "records/baseline.hpp"
#include "records/restores.hpp"
#include "records/run_file.hpp"
#include "records/state_file.hpp"
#include "ruleset/machine.hpp"
#include "ruleset/plan.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace statnat {

// What the kernel held at one generation of its ruleset.
struct Snapshot {
    std::uint32_t generation = 0;
    Ruleset ruleset{};
    bool counted = false;  // with the traffic of all elements
    bool whole = true;     // or an excerpt
};

// Whether rules may use our expression here, and if not, why ("there is no module ...").
struct Availability {
    bool available = false;
    std::string why_not;
};

enum class Committed {
    yes,
    outdated,  // no: somebody else committed since that generation, and our tables may have changed
    unknown,   // the kernel's answer got lost; read() tells
};

// Opens sockets to talk with nf_tables, and, when it comes to that, to hear of what others do.
struct Sockets {
    std::function<std::unique_ptr<Socket>()> talk;
    std::function<std::unique_ptr<Socket>()> listen;
};

// Somebody changed our tables, or may have.
struct Disturbance {
    std::optional<Committer> by{};  // nothing: nobody knows, and perhaps it was about other tables
};

// Another instance in this network namespace, and what it holds.
struct Sibling {
    Instance instance;
    Ruleset ruleset;
};

// What is remembered of it.
struct Records {
    StateFile state{};
    Baseline baseline{};
    RunFile neighbours{};
    RunFile fence{};
    RunFile vrf{};
    RunFile reflection{};  // of all instances
    Restores restores{};
    RunFile interface_pairs{};
    RunFile source{};
    RunFile drain{};
};

// How long a command starts again when somebody else keeps committing.
inline constexpr std::chrono::seconds longest_patience(30);

class Kernel {
public:
    // Tells `progress`, which must outlive it, what it is about. `most` is how long it starts again when somebody else
    // keeps committing.
    Kernel(Sockets sockets, Records records, Progress& progress, std::chrono::seconds most = longest_patience,
           Instance instance = {});

    // Our tables, all as they are at one generation.
    Snapshot read(Depth depth = Depth::elements);

    // What has to do with a pair that is to come or to go. All, if all is known, or if that much turned out not to do.
    Snapshot read_around(const Candidate& pair);
    void take_no_excerpts() { excerpts_ = false; }

    // Completes the traffic of some elements; false: no, our tables may have changed.
    bool count(Snapshot& snapshot, const std::vector<Selection>& selections);

    // Puts into maps that no rule asks yet what they will hold after a plan of many elements, in several transactions;
    // then, or if somebody else came in between, all is to be read again. False: there is nothing to be put there.
    // Throws CannotGoOn.
    bool load(const Plan& plan, const Snapshot& before, const Ruleset& after);
    // Whether it is there still; takes it back, as long as no commit has followed.
    bool has_loaded() const { return loading_.has_value(); }
    void unload();
    // Whether somebody else was loading when that was read, and now has ended.
    bool outlasts_loading(const Snapshot& snapshot);

    // One transaction, from one ruleset to another. Throws CannotGoOn with what the kernel has against which step.
    Committed commit(const Plan& plan, const Snapshot& before, const Ruleset& after);

    // The same where there is nothing to commit.
    void confirm(const Snapshot& snapshot) const;

    const Instance& instance() const { return instance_; }
    const Baseline& baseline() const { return records_.baseline; }
    const RunFile& neighbours() const { return records_.neighbours; }
    const RunFile& fence() const { return records_.fence; }
    const RunFile& vrf() const { return records_.vrf; }
    const RunFile& reflection() const { return records_.reflection; }
    const Restores& restores() const { return records_.restores; }
    const RunFile& interface_pairs() const { return records_.interface_pairs; }
    const RunFile& source() const { return records_.source; }
    const RunFile& drain() const { return records_.drain; }

    // What has changed since the tool left it so, in sentences, as far as that can be told without a dump.
    std::vector<std::string> drift(const Baseline::Record& since);

    // Waits for somebody to commit to our tables, or to so many that ours may be among them; nothing if nobody has for
    // so long, or until `also` can be read (negative: nothing). Whoever waits again and again misses none.
    std::optional<Disturbance> wait(std::chrono::milliseconds most, int also = -1);

    // What other instances hold.
    std::vector<Sibling> siblings(Depth depth = Depth::elements);

    // Base chains of other tables, as far as they are told.
    std::vector<OtherChain> chains_of_others();
    // All there are: "inet firewall f".
    std::vector<std::string> flowtables();

    // Asks with a batch that changes nothing; loads the module if it is installed.
    Availability probe();

    Patience patience() const { return Patience(most_); }
    // Why it is at an end: who commits all the time, and what has come of it so far.
    CannotGoOn out_of_patience(std::string_view result) const;

private:
    Snapshot read(Depth depth, const Candidate* around);
    std::optional<Snapshot> try_to_read(Depth depth, const Candidate* around, Patience& patience);
    bool take_excerpt(Snapshot& snapshot, const Candidate& pair);
    std::uint32_t listen();
    std::vector<Witness> staying(const Plan& plan) const;
    bool still_holds(std::uint32_t& generation);
    Outcome send(Batch& batch, std::size_t elements, std::uint32_t& generation);
    void distrust();

    Sockets sockets_;
    Instance instance_;
    Netlink netlink_;
    Watch watch_;
    Records records_;
    std::optional<Loading> loading_{};
    bool trusting_ = false;  // what was read last comes from there, or is not all
    bool excerpts_ = true;
    Progress& progress_;
    std::chrono::seconds most_;
};

}  // namespace statnat
