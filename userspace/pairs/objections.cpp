// SPDX-License-Identifier: GPL-2.0-or-later
// The rules that every pair keeps, and the sentences for those that do not.
#include "pairs/objections.hpp"

#include "pairs/translation.hpp"
#include "printable.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace statnat {
namespace {

constexpr std::size_t longest_comment = 127;  // nft(8) keeps 128 bytes for one, with its NUL

std::optional<std::string> objection_to_comment(std::string_view comment) {
    const auto objection = [&](const std::string& what) {
        return fmt::format("{}: legal are {} bytes of printable UTF-8 without \"", what, longest_comment);
    };
    if (comment.size() > longest_comment) {
        return objection(fmt::format("a comment of {} bytes", comment.size()));
    }
    for (std::string_view rest = comment; !rest.empty();) {
        const auto point = take_code_point(rest);
        if (!point) {
            return objection(fmt::format("a comment that is not UTF-8, {}", in_quotes(comment)));
        }
        if (is_control(*point)) {
            return objection(fmt::format("a comment with a control character, {}", in_quotes(comment)));
        }
        // nft(8) writes a quotation mark as it is, and then cannot read its own listing.
        if (*point == '"') {
            return objection(fmt::format("a comment with a quotation mark, {}", in_quotes(comment)));
        }
    }
    return std::nullopt;
}

std::string named(Side side, const Prefix& prefix) {
    return fmt::format("{} {}", side == Side::internal ? "internal" : "external",
                       prefix.is_host() ? "address" : "prefix");
}

std::optional<std::string> objection_to_side(const Prefix& prefix) {
    const Family family = prefix.address.family;
    const auto why = unusable(prefix);
    if (prefix.length < shortest_length(family)) {
        return fmt::format("{} is too short a prefix: legal are {} prefixes from /{} on", prefix.text(), name(family),
                           shortest_length(family));
    }
    if (why && prefix.is_host()) {
        return fmt::format("{} is {}: legal is the {} address of one host", prefix.short_text(), *why, name(family));
    }
    if (why) {
        return fmt::format("{} covers {}: legal is a prefix of hosts", prefix.text(), *why);
    }
    return std::nullopt;
}

bool can_be_npt(const Prefix& prefix) {
    return prefix.address.family == Family::ipv6 && prefix.length <= longest_npt;
}

// What the two sides are to each other.
std::optional<std::string> objection_to_both(const Prefix& internal, const Prefix& external, bool npt) {
    if (internal.address.family != external.address.family) {
        return fmt::format("{} is not of the same family as {}: legal are two IPv4 or two IPv6 {}",
                           external.short_text(), internal.short_text(),
                           internal.is_host() || external.is_host() ? "addresses" : "prefixes");
    }
    if (internal.length != external.length) {
        return fmt::format("{} is not as long as {}: legal are two prefixes of equal length{}", external.short_text(),
                           internal.short_text(),
                           can_be_npt(internal) && can_be_npt(external) && !npt ? ", or npt = true" : "");
    }
    if (internal == external) {
        return fmt::format("{} is both sides of its pair: legal are two different {}", external.short_text(),
                           internal.is_host() ? "addresses" : "prefixes");
    }
    return std::nullopt;
}

std::optional<std::string> objection_to_npt(const Prefix& prefix) {
    const auto objection = [&](std::string_view why) {
        return fmt::format("npt of {}, which {}: legal are IPv6 prefixes from /{} to /{}", prefix.short_text(), why,
                           shortest_length(Family::ipv6), longest_npt);
    };
    if (prefix.address.family == Family::ipv4) {
        return objection("is IPv4");
    }
    if (prefix.length > longest_npt) {
        return objection("leaves no interface identifier to adjust");
    }
    return std::nullopt;
}

}  // namespace

void Proposal::settle(bool npt_gateway) {
    const bool possible = (!internal || can_be_npt(*internal)) && (!external || can_be_npt(*external));
    npt = npt.value_or(npt_gateway && possible);
    if (*npt && possible && internal && external) {
        internal->length = external->length = std::max(internal->length, external->length);
    }
}

Pair Proposal::pair() const {
    return {*internal, *external, npt.value_or(false), comment, inbound};
}

std::vector<PartObjection> objections(const Proposal& proposal) {
    const auto& [internal, external, npt, comment, inbound] = proposal;
    std::vector<PartObjection> found;
    const auto object = [&](Part part, std::optional<std::string> sentence) {
        if (sentence) {
            found.push_back({part, std::move(*sentence)});
        }
    };
    if (internal) {
        object(Part::internal, objection_to_side(*internal));
    }
    const auto both =
        internal && external ? objection_to_both(*internal, *external, npt.value_or(false)) : std::nullopt;
    if (external) {
        object(Part::external, both ? both : objection_to_side(*external));
    }
    if (npt.value_or(false) && (internal || external) && !both) {
        object(Part::npt, objection_to_npt(internal ? *internal : *external));
    }
    if (inbound && internal && !internal->is_host() && !both) {
        object(Part::external, fmt::format("a further external side of {}, which is a prefix: legal is one, and for a "
                                           "host several",
                                           internal->short_text()));
    }
    object(Part::comment, objection_to_comment(comment.text()));
    if (inbound && !comment.empty()) {
        object(Part::comment, "a comment beside inbound: legal is one beside the pair that the host answers by");
    }
    return found;
}

std::string sentence_of_unanswered(const Pair& pair) {
    return fmt::format("{0} has no pair to answer by, but {1} inbound: legal is that beside a pair of {0} itself, by "
                       "which it sends",
                       pair.internal.short_text(), pair.external.short_text());
}

std::string sentence(const Collision& collision, const std::vector<Candidate>& candidates, std::string_view place) {
    const Candidate& holding = candidates[collision.earlier];
    const Prefix& later = *candidates[collision.later].side(collision.later_side);
    const Prefix& earlier = *holding.side(collision.earlier_side);
    if (holding.excluded && collision.why == Collision::Why::same) {
        return fmt::format("{} is excluded{}: legal is a pair for what exclude does not name", later.short_text(),
                           place);
    }
    const auto& partner = holding.side(other(collision.earlier_side));
    const std::string role = named(collision.earlier_side, earlier);
    const std::string holder = partner ? fmt::format("the {} of {}{}", role, partner->short_text(), place)
                                       : fmt::format("an {}{}", role, place);
    if (collision.why == Collision::Why::same) {
        return fmt::format("{} is already {}{}", later.short_text(), holder,
                           collision.later_side == collision.earlier_side ? ""
                                                                          : ": legal is an address on one side only");
    }
    const bool inside = earlier.covers(later);
    const std::string both = fmt::format("{} {} {}, {}", later.short_text(), inside ? "is inside" : "covers",
                                         earlier.short_text(), holder);
    const Prefix& outer = inside ? earlier : later;
    switch (collision.why) {
    case Collision::Why::shared:
        return fmt::format("{0}, and {1} reaches it too: legal is one internal for each external, so move one or give "
                           "{1} a pair of its own",
                           both, collision.internal.short_text());
    case Collision::Why::scattered:
        return fmt::format("{}, and npt does not keep it together: legal inside {} are prefixes up to /{}", both,
                           outer.text(), outer.length <= 48 ? "48 and from /64 on" : "64 and hosts");
    default:
        return fmt::format("{}: legal is an address on one side only", both);
    }
}

Exclusion exclusion(const Prefix& prefix, const Pairs& pairs) {
    for (const Side side : {Side::internal, Side::external}) {
        const auto pair = prefix.length > 0 ? pairs.around(prefix, side, prefix.length - 1) : std::nullopt;
        if (!pair) {
            continue;
        }
        const Counterpart opposite = translate(translation(*pair, side), prefix);
        if (side == Side::internal ? opposite.fate != Fate::scattered : opposite.fate == Fate::one) {
            return {side == Side::internal ? prefix : opposite.prefix};
        }
        return {std::nullopt, fmt::format("{} is no prefix on the other side of {}: legal is one that npt keeps "
                                          "together",
                                          prefix.short_text(), pair->text())};
    }
    return {std::nullopt, fmt::format("{} is inside no pair of prefixes: legal is what one of them covers, on either "
                                      "side; a host is left alone without a pair",
                                      prefix.short_text())};
}

std::string not_a_side(std::string_view text) {
    if (const auto enclosing = Prefix::enclosing(text)) {
        return fmt::format("{} has host bits set: legal is {}", in_quotes(text), enclosing->text());
    }
    return fmt::format("{} is neither an address nor a prefix: legal is one such as 10.0.0.2, fd00::2 or 10.1.0.0/24",
                       in_quotes(text));
}

std::optional<std::string> why_not(const Proposal& proposal, const Pairs& others) {
    const auto alone = objections(proposal);
    if (!alone.empty()) {
        return alone.front().sentence;
    }
    std::vector<Candidate> all = candidates(others);
    const std::size_t last = all.size();
    all.push_back({proposal.internal, proposal.external, proposal.npt.value_or(false), false, proposal.inbound});
    for (const Collision& collision : overlaps(all).collisions) {
        if (collision.later == last) {
            return sentence(collision, all, "");
        }
    }
    if (proposal.inbound && !others.find(*proposal.internal, Side::internal)) {
        return sentence_of_unanswered(proposal.pair());
    }
    return std::nullopt;
}

std::optional<std::string> why_not_without(const Pairs& rest) {
    const std::vector<Candidate> all = candidates(rest);
    for (const Collision& collision : overlaps(all).collisions) {
        if (collision.why == Collision::Why::shared || collision.why == Collision::Why::scattered) {
            return sentence(collision, all, "");
        }
    }
    return std::nullopt;
}

std::optional<std::string> why_not_native(const Pair& pair) {
    if (pair.internal.is_host()) {
        return std::nullopt;
    }
    return fmt::format("{} needs the engine \"expression\": stock rules cannot keep the host bits of a prefix (install "
                       "the module nft_snat_stateless, or name each host)",
                       pair.text());
}

}  // namespace statnat
