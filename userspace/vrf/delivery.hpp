// SPDX-License-Identifier: GPL-2.0-or-later
// Has what comes for external addresses delivered to the VRF that the inside is in, and errors about it told apart.
#pragma once

#include "config/configuration.hpp"
#include "records/run_file.hpp"

#include <set>
#include <string>
#include <vector>

namespace statnat {

// What is remembered of it: what an instance has left, and a setting that all of them share.
struct DeliveryRecords {
    RunFile left{};
    RunFile setting{};
};

// The ports of a VRF, as they are now; none where it is not there.
std::vector<std::string> ports_of(const std::string& vrf);

// Makes policy rules what the pairs of a configuration ask for; without a VRF, or pairs, takes them away. Where the
// VRF is not there, it waits, and a warning says so. `alone`: no other instance has a VRF. Returns what changed, or
// `nothing_to_change`. Throws CannotGoOn.
std::string deliver(const Configuration& configuration, const DeliveryRecords& records, bool alone);

// What it would do, as `diff` prints that.
std::vector<std::string> changes_of_delivery(const Configuration& configuration, const RunFile& left);

// What is not as it was left, in sentences; nothing where nothing was.
std::vector<std::string> astray(const RunFile& left);

}  // namespace statnat
