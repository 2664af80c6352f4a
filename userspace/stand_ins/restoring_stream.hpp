// SPDX-License-Identifier: GPL-2.0-or-later
// What libnftables writes, piece by piece, with our statement again where a stand-in stood: in nft text, JSON and debug
// output.
#pragma once

#include "stand_ins/stand_in.hpp"

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace statnat {

class RestoringStream {
public:
    using Sink = std::function<void(std::string_view)>;

    RestoringStream(const StandIns& stand_ins, Sink sink);

    // Passes on at once all but an end that may be the beginning of a stand-in.
    void write(std::string_view text);

    // Passes on that end, too.
    void flush();

    // Whether a stand-in went by that stood in none of the ways that are known here.
    bool missed_one() const { return missed_one_; }

private:
    struct Restoration {
        std::size_t begin;
        std::size_t end;
        std::string by;  // what is to be there
    };

    void pass_on(bool all);
    std::optional<Restoration> next_place(std::size_t from, bool all);
    std::size_t open_end(std::size_t from) const;

    const StandIns& stand_ins_;
    Sink sink_;
    std::string held_;
    bool missed_one_ = false;
};

// The same for a text that is whole.
std::string restored(std::string_view text, const StandIns& stand_ins);

}  // namespace statnat
