// SPDX-License-Identifier: GPL-2.0-or-later
// The difference between what it takes and what is there; pure functions.
#pragma once

#include "neighbours/answers.hpp"
#include "neighbours/record.hpp"
#include "neighbours/neighbourhood.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace statnat {

// In the order in which they are done, such that an address which stays is answered for at all times.
struct Steps {
    bool make_device = false;
    bool raise_device = false;
    std::vector<Prefix> add_routes{};
    std::vector<Proxy> add_proxies{};
    Settings set{};
    std::vector<Proxy> remove_proxies{};
    std::vector<Route> remove_routes{};
    bool delete_device = false;
    ChangedSettings to_remember{};  // once they are set

    bool empty() const;
};

// Makes the device that is wanted, or deletes the one that is not. Throws CannotGoOn where somebody else has one of our
// name, and it is wanted.
void plan_device(bool wanted, const Neighbourhood& around, Steps& steps);

// `actual` has the settings that are wanted or remembered, as far as the kernel has them. Throws CannotGoOn where
// somebody else has a device of our name.
Steps steps(const Answers& wanted, const Neighbourhood& around, const Settings& actual, const ChangedSettings& changed);

// "made statnat0, added 2 routes, ...", and what else has been done.
inline constexpr std::string_view nothing_to_change = "nothing to change";
std::string summary(const Steps& steps, const std::vector<std::string>& more = {});

}  // namespace statnat
