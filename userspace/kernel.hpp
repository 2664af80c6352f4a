// SPDX-License-Identifier: GPL-2.0-or-later
// The kernel of this network namespace: what it holds, what it can do, and taking a plan through it.
#pragma once

#include "netlink.hpp"
#include "plan.hpp"

#include <cstdint>
#include <string>

namespace statnat {

// What the kernel held at one generation of its ruleset.
struct Snapshot {
    std::uint32_t generation = 0;
    Ruleset ruleset;
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
    explicit Kernel(Netlink netlink);

    // Our tables, all read at the same generation.
    Snapshot read();

    // One transaction. Throws CannotGoOn with what the kernel has against which step.
    Committed commit(const Plan& plan, std::uint32_t generation);

    // Asks with a batch that changes nothing; loads the module if it is installed.
    Availability probe();

private:
    std::uint32_t generation();
    std::optional<Table> read_table(Family family, bool& interrupted);

    Netlink netlink_;
};

// How often to start again when somebody else keeps committing.
inline constexpr int attempts = 16;

}  // namespace statnat
