// SPDX-License-Identifier: GPL-2.0-or-later
// A line for each: npt or plain, both sides as they were then, and the side as it was written. Another line behind that
// of one that waits says why.
#include "records/interface_pairs.hpp"

#include <optional>
#include <sstream>
#include <utility>

#include <fmt/format.h>

namespace statnat {
namespace {

constexpr const char* nothing = "-";

std::vector<InterfacePair> recall(const RunFile& file) {
    std::vector<InterfacePair> all;
    auto opened = file.open();
    for (std::string line; opened && std::getline(opened->rest, line);) {
        std::istringstream words(line);
        std::string kind;
        std::string internal;
        std::string external;
        std::string text;
        std::getline(words >> kind >> internal >> external >> std::ws, text);
        auto side = InterfaceSide::parse(text);
        InterfacePair one;
        one.pair.internal = Prefix::parse(internal);
        one.pair.external = Prefix::parse(external);
        one.pair.npt = kind == "npt";
        if (external == nothing && !std::getline(opened->rest, one.why_waits)) {
            break;
        }
        if (side && one.pair.internal) {
            one.side = std::move(*side);
            all.push_back(std::move(one));
        }
    }
    return all;
}

}  // namespace

void remember(const RunFile& file, const std::vector<InterfacePair>& interface_pairs) {
    if (interface_pairs.empty()) {
        file.remove();
        return;
    }
    file.write(0, [&](Replacement& replacement) {  // of no one generation
        for (const InterfacePair& one : interface_pairs) {
            const auto& external = one.pair.external;
            replacement.write(fmt::format("{} {} {} {}\n", one.pair.npt.value_or(false) ? "npt" : "plain",
                                          one.pair.internal->short_text(), external ? external->short_text() : nothing,
                                          one.side.text()));
            if (one.waits()) {
                replacement.write(one.why_waits + "\n");
            }
        }
    });
}

std::vector<std::string> moved(const RunFile& file, const AskAddresses& ask) {
    const std::vector<InterfacePair> before = recall(file);
    std::vector<std::string> sentences;
    const std::vector<InterfaceAddress> addresses = before.empty() ? std::vector<InterfaceAddress>() : ask();
    for (const InterfacePair& one : before) {
        const bool npt = one.pair.npt.value_or(false);
        Proposal now = one.pair;
        now.external = look_up(one.side, *one.pair.internal, npt, addresses).prefix;
        now.settle(false);
        const auto text = [](const std::optional<Prefix>& side) { return side ? side->short_text() : "nothing"; };
        if (now.external != one.pair.external) {
            sentences.push_back(fmt::format("the {} is {} now, and was {}", one.side.text(), text(now.external),
                                            text(one.pair.external)));
        }
    }
    return sentences;
}

std::vector<std::string> waiting(const RunFile& file) {
    std::vector<std::string> sentences;
    for (const InterfacePair& one : recall(file)) {
        if (one.waits()) {
            sentences.push_back(fmt::format("{} waits: {}", one.text(), one.why_waits));
        }
    }
    return sentences;
}

}  // namespace statnat
