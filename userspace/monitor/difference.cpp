// SPDX-License-Identifier: GPL-2.0-or-later
#include "monitor/difference.hpp"

#include "printable.hpp"

#include <fmt/format.h>

namespace statnat {
namespace {

// Nothing for a whole one.
std::string_view only_way(const Held& held) {
    return held.outbound == held.inbound ? "" : held.outbound ? "outbound" : "inbound";
}

std::string way_text(const Held& held) {
    return only_way(held).empty() ? "" : fmt::format(", {} only", only_way(held));
}

// How it differs from what it was.
std::string was_text(const Held& now, const Held& was) {
    std::string text;
    if (was.pair.external != now.pair.external) {
        text += fmt::format(", was {}{}", was.pair.external.short_text(), way_text(was));
    } else if (!only_way(was).empty()) {
        text += fmt::format(", was {} only", only_way(was));
    }
    // The outbound element has the comment.
    const bool same = now.pair.comment == was.pair.comment || !now.outbound || !was.outbound;
    return text + (same ? "" : ", comment changed");
}

std::string json(const Held& held) {
    const Pair& pair = held.pair;
    const std::string only =
        pair.inbound             ? R"(,"only":"inbound")"
        : only_way(held).empty() ? ""
                                 : fmt::format(R"(,"only":{})", quoted_json(only_way(held)));
    return fmt::format(R"({{"internal":{},"external":{},"npt":{},"comment":{}{}}})",
                       quoted_json(pair.internal.short_text()), quoted_json(pair.external.short_text()), pair.npt,
                       quoted_json(pair.comment.text()), only);
}

}  // namespace

std::string as_line(const Difference& difference, const std::optional<Committer>& by) {
    std::string line = difference.removed ? "- " : difference.was ? "~ " : "+ ";
    std::string comment;
    if (const auto* held = std::get_if<Held>(&difference.what)) {
        line += held->pair.text() + way_text(*held) + (difference.was ? was_text(*held, *difference.was) : "");
        comment = held->pair.comment.text();
    } else {
        const auto& container = std::get<Container>(difference.what);
        line += fmt::format("{} {}", container.kind, container.name);
    }
    line += by ? ", by " + by->text() : "";
    return printable(line + (comment.empty() ? "" : " # " + comment));
}

std::string as_json(const Difference& difference, const std::optional<Committer>& by) {
    std::string members =
        fmt::format(R"("event":"{}",)", difference.removed ? "removed" : difference.was ? "changed" : "added");
    if (const auto* held = std::get_if<Held>(&difference.what)) {
        members += fmt::format(R"("pair":{})", json(*held));
    } else {
        const auto& container = std::get<Container>(difference.what);
        members += fmt::format(R"("{}":{})", container.kind, quoted_json(container.name));
    }
    if (difference.was) {
        members += fmt::format(R"(,"was":{})", json(*difference.was));
    }
    if (by) {
        members += fmt::format(R"(,"process":{},"process_id":{})", quoted_json(by->process), by->process_id);
    }
    return members;
}

}  // namespace statnat
