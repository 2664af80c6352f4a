// SPDX-License-Identifier: GPL-2.0-or-later
// What a pair makes of an address, or of a prefix that one of its sides covers: the kernel's arithmetic over again.
#pragma once

#include "pairs/pair.hpp"

#include <cstdint>

namespace statnat {

// Both sides of a pair, seen from the one that is translated.
struct Translation {
    Prefix from;
    Prefix to;
    bool npt = false;

    Translation reversed() const { return {to, from, npt}; }
};

Translation translation(const Pair& pair, Side from);

enum class Fate : std::uint8_t {
    one,         // exactly one prefix
    subnet,      // none: subnet 0xffff (RFC 6296, 3.2 and 3.3)
    identifier,  // none: an interface identifier of all zeros, or of all ones where it is adjusted (3.7)
    scattered,   // several, since the word that npt adjusts is in it in part
};

struct Counterpart {
    Fate fate;
    Prefix prefix;  // of Fate::one
};

// What becomes of `part`, which `from` covers.
Counterpart translate(const Translation& translation, const Prefix& part);

// What becomes `part`, which `to` covers. Not always what translate() makes of it in the opposite direction: npt turns
// some interface identifier into all zeros, and has no way back from there.
Counterpart origin(const Translation& translation, const Prefix& part);

}  // namespace statnat
