// SPDX-License-Identifier: GPL-2.0-or-later
// All pairs of a source at one revision, in pages.
#pragma once

#include "config/configuration.hpp"
#include "etcd/client.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <utility>

namespace statnat {

// Told after each page how many there are so far; may throw.
using TellPages = std::function<void(std::size_t keys)>;

// With the cluster that has it. Throws EtcdAway.
std::pair<EtcdHeader, SourceSnapshot> read_snapshot(EtcdClient& client, const std::string& prefix,
                                                    const TellPages& tell = {});

// The same of a source, once. Throws CannotGoOn with exit_no_source.
std::shared_ptr<const SourceSnapshot> read_source(const Source& source, const TellPages& tell = {});

// What is said where a source does not answer.
std::string sentence_of_away(const std::string& why);

}  // namespace statnat
