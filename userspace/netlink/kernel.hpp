// SPDX-License-Identifier: GPL-2.0-or-later
// The kernel of this network namespace: what it holds, what it can do, and taking a plan through it.
#pragma once

#include "netlink/netlink.hpp"
#include "netlink/state_file.hpp"
#include "progress.hpp"
#include "ruleset/machine.hpp"
#include "ruleset/plan.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace statnat {

// How much of a ruleset is read. What the maps hold is known without asking if nobody has committed since it was read
// or written last.
enum class Depth {
    known,     // of the maps only what is known
    elements,  // all, but their traffic only as far as it comes with them
    traffic,
};

// What the kernel held at one generation of its ruleset.
struct Snapshot {
    std::uint32_t generation = 0;
    Ruleset ruleset;
    bool counted = false;  // with the traffic of all elements
};

// Whether rules may use our expression here, and if not, why ("there is no module ...").
struct Availability {
    bool available = false;
    std::string why_not;
};

enum class Committed {
    yes,
    outdated,  // no: somebody else committed since that generation
    unknown,   // the kernel's answer got lost; read() tells
};

class Kernel {
public:
    // Tells `progress`, which must outlive it, what it is about.
    Kernel(Netlink netlink, StateFile state, Progress& progress);

    // Our tables, all read at the same generation.
    Snapshot read(Depth depth = Depth::elements);

    // Completes the traffic of some elements; false: no, somebody else committed since that generation.
    bool count(Snapshot& snapshot, const std::vector<Selection>& selections);

    // One transaction, from one ruleset to another. Throws CannotGoOn with what the kernel has against which step.
    Committed commit(const Plan& plan, std::uint32_t generation, const Ruleset& after);

    // Base chains of other tables, as far as they are told.
    std::vector<OtherChain> chains_of_others();

    // Asks with a batch that changes nothing; loads the module if it is installed.
    Availability probe();

private:
    std::uint32_t generation();
    std::optional<Table> read_table(Family family, Depth depth, StateFile::Contents* known, Progress::Step& step,
                                    bool& interrupted);
    bool count(Family family, Map& map, std::span<const std::size_t> elements);
    void distrust();

    Netlink netlink_;
    StateFile state_;
    bool trusting_ = false;  // what was read last comes from there
    Progress& progress_;
};

// How often to start again when somebody else keeps committing.
inline constexpr int attempts = 16;

}  // namespace statnat
