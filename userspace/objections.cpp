// SPDX-License-Identifier: GPL-2.0-or-later
// The rules that every pair keeps, and the sentences for those that do not.
#include "objections.hpp"

#include <array>
#include <cstdio>
#include <utility>

namespace statnat {
namespace {

constexpr std::size_t longest_comment = 127;  // nft(8) keeps 128 bytes for one, with its NUL

// The next code point of a UTF-8 text, or nothing where it is malformed.
std::optional<char32_t> take_code_point(std::string_view& text) {
    const auto first = static_cast<unsigned char>(text.front());
    const std::size_t size = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (size == 0 || text.size() < size) {
        return std::nullopt;
    }
    constexpr std::array<char32_t, 5> smallest{0, 0, 0x80, 0x800, 0x10000};
    char32_t point = size == 1 ? first : first & (0x7fU >> size);
    for (std::size_t i = 1; i < size; ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        if ((byte & 0xc0) != 0x80) {
            return std::nullopt;
        }
        point = point << 6 | (byte & 0x3f);
    }
    const bool surrogate = point >= 0xd800 && point < 0xe000;
    if (point < smallest[size] || point > 0x10ffff || surrogate) {
        return std::nullopt;
    }
    text.remove_prefix(size);
    return point;
}

std::optional<std::string> objection_to_comment(std::string_view comment) {
    const std::string legal = ": legal are " + std::to_string(longest_comment) + " bytes of printable UTF-8 without \"";
    if (comment.size() > longest_comment) {
        return "a comment of " + std::to_string(comment.size()) + " bytes" + legal;
    }
    for (std::string_view rest = comment; !rest.empty();) {
        const auto point = take_code_point(rest);
        if (!point) {
            return "a comment that is not UTF-8, " + in_quotes(comment) + legal;
        }
        if (*point < 0x20 || (*point >= 0x7f && *point < 0xa0)) {
            return "a comment with a control character, " + in_quotes(comment) + legal;
        }
        // nft(8) writes a quotation mark as it is, and then cannot read its own listing.
        if (*point == '"') {
            return "a comment with a quotation mark, " + in_quotes(comment) + legal;
        }
    }
    return std::nullopt;
}

std::optional<std::string> objection_to_address(const Address& address) {
    if (const auto why = unusable(address)) {
        return address.text() + " " + std::string(*why) + ": legal is the " + std::string(name(address.family)) +
               " address of one host";
    }
    return std::nullopt;
}

}  // namespace

std::vector<Objection> objections(const std::optional<Address>& internal, const std::optional<Address>& external,
                                  std::string_view comment) {
    std::vector<Objection> found;
    const auto object = [&](Part part, std::optional<std::string> sentence) {
        if (sentence) {
            found.push_back({part, std::move(*sentence)});
        }
    };
    if (internal) {
        object(Part::internal, objection_to_address(*internal));
    }
    if (internal && external && internal->family != external->family) {
        object(Part::external, external->text() + " is not of the same family as " + internal->text() +
                                   ": legal are two IPv4 or two IPv6 addresses");
    } else if (internal && internal == external) {
        object(Part::external, external->text() + " is both sides of its pair: legal are two different addresses");
    } else if (external) {
        object(Part::external, objection_to_address(*external));
    }
    object(Part::comment, objection_to_comment(comment));
    return found;
}

std::string conflict(const Address& address, Part wanted_as, Part taken_as, const std::optional<Address>& partner,
                     std::string_view place) {
    const std::string side = taken_as == Part::internal ? "internal address" : "external address";
    const std::string taken = partner ? "the " + side + " of " + partner->text() : "an " + side;
    return address.text() + " is already " + taken + std::string(place) +
           (wanted_as == taken_as ? "" : ": legal is an address on one side only");
}

std::string not_an_address(std::string_view text) {
    if (Prefix::enclosing(text)) {
        return in_quotes(text) + " is a prefix, and pairs of prefixes are not offered yet: legal is the address of one "
                                 "host";
    }
    return in_quotes(text) + " is not an address: legal is one such as 10.0.0.2 or fd00::2";
}

std::optional<std::string> why_not(const Pair& pair, const std::vector<Pair>& others) {
    const auto alone = objections(pair.internal, pair.external, pair.comment);
    if (!alone.empty()) {
        return alone.front().sentence;
    }
    for (const Pair& other : others) {
        if (pair.internal == other.internal) {
            return conflict(pair.internal, Part::internal, Part::internal, other.external, "");
        }
        if (pair.external == other.external) {
            return conflict(pair.external, Part::external, Part::external, other.internal, "");
        }
        if (pair.internal == other.external) {
            return conflict(pair.internal, Part::internal, Part::external, other.internal, "");
        }
        if (pair.external == other.internal) {
            return conflict(pair.external, Part::external, Part::internal, other.external, "");
        }
    }
    return std::nullopt;
}

std::string in_quotes(std::string_view text) {
    constexpr std::size_t longest = 60;
    std::string result = "\"";
    for (const char c : text.substr(0, longest)) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte >= 0x7f) {
            std::array<char, 5> escape{};
            std::snprintf(escape.data(), escape.size(), "\\x%02x", byte);
            result += escape.data();
        } else {
            result += c;
        }
    }
    return result + (text.size() > longest ? "...\"" : "\"");
}

}  // namespace statnat
