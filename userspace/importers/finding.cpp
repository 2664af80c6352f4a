// SPDX-License-Identifier: GPL-2.0-or-later
#include "importers/finding.hpp"

#include "pairs/objections.hpp"

#include <algorithm>
#include <bit>

#include <fmt/format.h>

namespace statnat {

std::string Place::text(std::string_view file) const {
    return line != 0      ? fmt::format("{}:{}", file, line)
           : name.empty() ? std::string(file)
                          : fmt::format("{}: {}", file, name);
}

void Reading::leave(Place at, std::string sentence) {
    leftovers.push_back({std::move(at), std::move(sentence)});
}

void Reading::note_interface(std::string_view name, const Place& at) {
    const auto known = interfaces.find(name);
    (known != interfaces.end() ? known->second : interfaces[std::string(name)]).push_back(at);
}

void Reading::take(Finding finding, std::string_view internal, std::string_view external) {
    const auto inside = side_of(internal);
    const auto outside = side_of(external);
    if (!inside || !outside) {
        leave(std::move(finding.at), not_a_side(inside ? external : internal));
        return;
    }
    finding.internal = *inside;
    finding.external = *outside;
    findings.push_back(std::move(finding));
}

void Reading::take(const Binding& binding) {
    if (!binding.why_not.empty()) {
        leave(binding.at, binding.why_not);
        return;
    }
    if (binding.internal.empty() || binding.external.empty()) {
        leave(binding.at, fmt::format("has no {} address: a pair has two",
                                      binding.internal.empty() ? "internal" : "external"));
        return;
    }
    const std::size_t known = findings.size();
    Finding finding;
    finding.at = binding.at;
    finding.direction = binding.direction;
    finding.npt = binding.npt;
    finding.comment = binding.comment;
    take(std::move(finding), binding.internal, binding.external);
    if (findings.size() != known) {
        for (const std::string& interface : binding.interfaces) {
            note_interface(interface, binding.at);
        }
    }
}

std::optional<std::uint8_t> length_of_mask(std::string_view mask) {
    const auto address = Address::parse(mask);
    if (!address || address->family != Family::ipv4) {
        return std::nullopt;
    }
    const auto bits = static_cast<std::uint32_t>(number_at(address->bytes.data()) >> 32);
    const int length = std::countl_one(bits);
    return std::popcount(bits) == length ? std::optional(static_cast<std::uint8_t>(length)) : std::nullopt;
}

std::optional<Prefix> side_of(std::string_view text) {
    if (const auto prefix = Prefix::enclosing(text)) {
        return prefix;
    }
    const std::size_t slash = text.find('/');
    const auto address = Address::parse(text.substr(0, slash));
    const auto length = slash == std::string_view::npos ? std::nullopt : length_of_mask(text.substr(slash + 1));
    return address && length && address->family == Family::ipv4 ? std::optional(Prefix::of(*address, *length))
                                                                : std::nullopt;
}

}  // namespace statnat
