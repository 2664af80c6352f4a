// SPDX-License-Identifier: GPL-2.0-or-later
// Names are a mark and a number of three digits to the base of 64.
#include "stand_ins/stand_in.hpp"

#include "error.hpp"

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <optional>

#include <sys/random.h>

namespace statnat {

namespace {

constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.";
constexpr std::size_t most = std::size_t{1} << 18;

std::string random_mark() {
    std::array<std::uint8_t, StandIns::mark_size - 1> noise{};
    if (::getrandom(noise.data(), noise.size(), 0) != static_cast<ssize_t>(noise.size())) {
        throw CannotGoOn{std::string("the kernel gives no random numbers: ") + std::strerror(errno)};
    }
    std::string mark = "S";  // a letter first, and none that an address may begin with
    for (const std::uint8_t byte : noise) {
        mark += digits[byte % digits.size()];
    }
    return mark;
}

std::optional<std::size_t> number_in(std::string_view text) {
    std::size_t number = 0;
    for (const char character : text) {
        const std::size_t digit = digits.find(character);
        if (digit == std::string_view::npos) {
            return {};
        }
        number = number * digits.size() + digit;
    }
    return number;
}

// What equal contents have in common.
struct Key {
    std::string operator()(const SnatStateless& statement) const { return text(statement, Family::ipv4); }
    std::string operator()(const Objection& objection) const {
        return "?" + std::to_string(objection.line) + ":" + std::to_string(objection.first) + " " + objection.sentence;
    }
    std::string operator()(const Unreadable&) const { return "!"; }
};

}  // namespace

StandIns::StandIns() : StandIns(random_mark()) {}

StandIns::StandIns(std::string mark) : mark_(std::move(mark)) {}

std::string StandIns::name(const StandInContent& content) {
    const auto [found, added] = numbers_.try_emplace(std::visit(Key{}, content), contents_.size());
    if (added) {
        if (contents_.size() == most) {
            throw CannotGoOn{"more than " + std::to_string(most) + " different snat_stateless statements"};
        }
        contents_.push_back(content);
    }
    const std::size_t number = found->second;
    return mark_ + digits[number >> 12] + digits[number >> 6 & 63] + digits[number & 63];
}

const StandInContent* StandIns::find(std::string_view name) const {
    if (name.size() != name_size || !name.starts_with(mark_)) {
        return nullptr;
    }
    const auto number = number_in(name.substr(mark_size));
    return number && *number < contents_.size() ? &contents_[*number] : nullptr;
}

bool StandIns::in(std::string_view text) const {
    return !contents_.empty() && ::memmem(text.data(), text.size(), mark_.data(), mark_.size());
}

std::string stand_in_text(std::string_view name) {
    return std::string(in_text.before).append(name).append(in_text.after);
}

std::string stand_in_json(std::string_view name) {
    return std::string(in_json.before).append(name).append(in_json.after);
}

}  // namespace statnat
