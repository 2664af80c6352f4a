// SPDX-License-Identifier: GPL-2.0-or-later
// Commands that are about a configuration as a whole. Each returns the exit status.
#pragma once

#include "actual/kernel.hpp"
#include "commands/desired.hpp"
#include "commands/engine.hpp"
#include "progress.hpp"

#include <optional>
#include <ostream>

namespace statnat {

// Where the configuration is broken, whether what worked last is taken in its place.
enum class FallBack { never, without_pairs, always };  // in the kernel

struct SyncOptions {
    bool force = false;  // even if it looks like the loss of a configuration
    FallBack fall_back = FallBack::never;
    AskSource ask{};             // nothing: etcd
    bool keep_last_good = true;  // whoever syncs all the time does so now and then
};

int sync(Kernel& kernel, const Path& file, const std::optional<EngineChoice>& engine, const SyncOptions& options,
         Progress& progress, std::ostream& out);
int check(const Path& file, const Instance& instance, Progress& progress, std::ostream& out);
int diff(Kernel& kernel, const Path& file, const std::optional<EngineChoice>& engine, bool exit_code,
         Progress& progress, std::ostream& out);
// Until the next sync, so that a reload of the whole ruleset which follows has no moment between old rules and new.
int handover(Kernel& kernel, std::ostream& out);
// `keep_closed`: policy rules of fail-closed stay, so that nothing passes untranslated.
int clear(Kernel& kernel, bool keep_closed, std::ostream& out);

}  // namespace statnat
