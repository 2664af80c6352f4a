// SPDX-License-Identifier: GPL-2.0-or-later
// Reads our tables, one question after the other.
#pragma once

#include "netlink/netlink.hpp"
#include "netlink/patience.hpp"
#include "records/state_file.hpp"
#include "netlink/watch.hpp"
#include "progress.hpp"
#include "wire/decoder.hpp"

#include <cstdint>
#include <functional>
#include <optional>
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

class Reader {
public:
    Reader(Netlink& netlink, Watch& watch, Patience& patience, Progress::Step& step, std::string table);

    // Takes from `known` what is in it; null: nothing is known.
    std::optional<Table> read(Family family, Depth depth, StateFile::Contents* known);

    // Whether all came that was asked for, from tables that did not change; whoever watches them need not be told that
    // other tables did.
    bool is_whole() const { return whole_; }

private:
    using Decode = void (TableDecoder::*)(Message);

    void list(const std::function<Bytes(std::uint32_t sequence)>& question, TableDecoder& decoder, Decode decode);
    void dump(Family family, const std::string& map, TableDecoder& decoder);
    void judge(const Answer& answer);

    Netlink& netlink_;
    Watch& watch_;
    Patience& patience_;
    Progress::Step& step_;
    std::string table_;
    bool gone_ = false;  // the table is not there, or not any more
    bool whole_ = true;
};

// All messages of an answer, asked for again until none is missing; nothing where what it is about is not there. Throws
// CannotGoOn, also where the patience is at an end.
std::optional<std::vector<Bytes>> read_all(Netlink& netlink, Patience patience,
                                           const std::function<Bytes(std::uint32_t sequence)>& question);

// Asks for the generation of the ruleset. Throws CannotGoOn.
std::uint32_t read_generation(Netlink& netlink);

}  // namespace statnat
