// SPDX-License-Identifier: GPL-2.0-or-later
// Every command, with its options and what runs it.
#pragma once

#include "names.hpp"
#include "progress.hpp"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <boost/program_options.hpp>

namespace statnat {

namespace options = boost::program_options;

inline constexpr std::string_view program = "statnat-nft";

using Operands = std::vector<std::string>;
using Values = options::variables_map;

// What a command prints: what has been done, what was asked for, or that in colours where there are any.
enum class Output { message, data, report };

struct Command {
    std::string_view name;
    std::string_view operands;
    std::size_t least;  // operands
    std::size_t most;
    std::string_view purpose;
    void (*declare)(options::options_description& own);
    int (*run)(const Operands& operands, const Values& values, Progress& progress);  // none: help, which main gives
    Output output = Output::message;
    int (*run_words)(Operands words) = nullptr;  // has a command line of its own, from its name on
};

std::span<const Command> all_commands();

// The one that --instance names. Throws CannotGoOn.
Instance instance_of(const Values& values);

// Throws CannotGoOn.
const Command& find_command(const std::string& name);

}  // namespace statnat
