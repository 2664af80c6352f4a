// SPDX-License-Identifier: GPL-2.0-or-later
#include "importers/jumps.hpp"

#include "printable.hpp"

#include <fmt/format.h>

namespace statnat {
namespace {

constexpr unsigned deepest = 16;  // of jumps, of which the kernel has as many at most

std::string in_sentence(const std::string& chain) {
    return in_quotes(chain.substr(chain.rfind(' ') + 1));
}

std::string in_sentence(const Place& at) {
    return at.line != 0 ? fmt::format("line {}", at.line) : at.name;
}

}  // namespace

std::optional<std::string> Jumps::why_not_reached(const std::string& chain, unsigned depth) {
    if (const auto base = bases_.find(chain); base != bases_.end()) {
        return base->second ? std::optional("only what this machine itself sends or gets comes into " +
                                            in_sentence(chain))
                            : std::nullopt;
    }
    const auto [known, is_new] = why_not_.emplace(chain, "nothing leads to the chain " + in_sentence(chain));
    std::optional<std::string>& why = known->second;
    const std::vector<Jump>& jumps = to_[chain];
    for (auto jump = jumps.begin(); is_new && jump != jumps.end() && why && depth < deepest; ++jump) {
        why = jump->for_some ? fmt::format("only some packets come into {} ({})", in_sentence(chain),
                                           in_sentence(jump->at))
                             : why_not_reached(jump->from, depth + 1);
    }
    return why;
}

void Jumps::note_interfaces(const std::string& chain, Reading& reading, unsigned depth) {
    if (depth > deepest || !noted_.insert(chain).second) {
        return;
    }
    for (const Jump& jump : to_[chain]) {
        for (const std::string& interface : jump.interfaces) {
            reading.note_interface(interface, jump.at);
        }
        note_interfaces(jump.from, reading, depth + 1);
    }
}

}  // namespace statnat
