// SPDX-License-Identifier: GPL-2.0-or-later
// The rules that every pair keeps, and the sentences for those that do not.
#include "pairs/objections.hpp"

#include "printable.hpp"

#include <algorithm>
#include <utility>

namespace statnat {
namespace {

constexpr std::size_t longest_comment = 127;  // nft(8) keeps 128 bytes for one, with its NUL

std::optional<std::string> objection_to_comment(std::string_view comment) {
    const auto objection = [&](const std::string& what) {
        return what + ": legal are " + std::to_string(longest_comment) + " bytes of printable UTF-8 without \"";
    };
    if (comment.size() > longest_comment) {
        return objection("a comment of " + std::to_string(comment.size()) + " bytes");
    }
    for (std::string_view rest = comment; !rest.empty();) {
        const auto point = take_code_point(rest);
        if (!point) {
            return objection("a comment that is not UTF-8, " + in_quotes(comment));
        }
        if (is_control(*point)) {
            return objection("a comment with a control character, " + in_quotes(comment));
        }
        // nft(8) writes a quotation mark as it is, and then cannot read its own listing.
        if (*point == '"') {
            return objection("a comment with a quotation mark, " + in_quotes(comment));
        }
    }
    return std::nullopt;
}

std::string named(Side side, const Prefix& prefix) {
    return std::string(side == Side::internal ? "internal " : "external ") + (prefix.is_host() ? "address" : "prefix");
}

std::optional<std::string> objection_to_side(const Prefix& prefix) {
    const Family family = prefix.address.family;
    const auto why = unusable(prefix);
    if (prefix.length < shortest_length(family)) {
        return prefix.text() + " is too short a prefix: legal are " + std::string(name(family)) + " prefixes from /" +
               std::to_string(shortest_length(family)) + " on";
    }
    if (why && prefix.is_host()) {
        return prefix.short_text() + " is " + std::string(*why) + ": legal is the " + std::string(name(family)) +
               " address of one host";
    }
    if (why) {
        return prefix.text() + " covers " + std::string(*why) + ": legal is a prefix of hosts";
    }
    return std::nullopt;
}

bool can_be_npt(const Prefix& prefix) {
    return prefix.address.family == Family::ipv6 && prefix.length <= longest_npt;
}

// What the two sides are to each other.
std::optional<std::string> objection_to_both(const Prefix& internal, const Prefix& external, bool npt) {
    if (internal.address.family != external.address.family) {
        return external.short_text() + " is not of the same family as " + internal.short_text() +
               ": legal are two IPv4 or two IPv6 " +
               (internal.is_host() || external.is_host() ? "addresses" : "prefixes");
    }
    if (internal.length != external.length) {
        return external.short_text() + " is not as long as " + internal.short_text() +
               ": legal are two prefixes of equal length" +
               (can_be_npt(internal) && can_be_npt(external) && !npt ? ", or npt = true" : "");
    }
    if (internal == external) {
        return external.short_text() + " is both sides of its pair: legal are two different " +
               (internal.is_host() ? "addresses" : "prefixes");
    }
    return std::nullopt;
}

std::optional<std::string> objection_to_npt(const Prefix& prefix) {
    const std::string legal =
        ": legal are IPv6 prefixes from /" + std::to_string(shortest_length(Family::ipv6)) + " to /" +
        std::to_string(longest_npt);
    if (prefix.address.family == Family::ipv4) {
        return "npt of " + prefix.short_text() + ", which is IPv4" + legal;
    }
    if (prefix.length > longest_npt) {
        return "npt of " + prefix.short_text() + ", which leaves no interface identifier to adjust" + legal;
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
    return {*internal, *external, npt.value_or(false), comment};
}

std::vector<PartObjection> objections(const Proposal& proposal) {
    const auto& [internal, external, npt, comment] = proposal;
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
    object(Part::comment, objection_to_comment(comment.text()));
    return found;
}

std::string sentence(const Collision& collision, const std::vector<Candidate>& candidates, std::string_view place) {
    const Candidate& holding = candidates[collision.earlier];
    const Prefix& later = *candidates[collision.later].side(collision.later_side);
    const Prefix& earlier = *holding.side(collision.earlier_side);
    const auto& partner = holding.side(other(collision.earlier_side));
    const std::string role = named(collision.earlier_side, earlier);
    const std::string holder =
        (partner ? "the " + role + " of " + partner->short_text() : "an " + role) + std::string(place);
    if (collision.why == Collision::Why::same) {
        return later.short_text() + " is already " + holder +
               (collision.later_side == collision.earlier_side ? "" : ": legal is an address on one side only");
    }
    const bool inside = earlier.covers(later);
    const std::string both =
        later.short_text() + (inside ? " is inside " : " covers ") + earlier.short_text() + ", " + holder;
    const Prefix& outer = inside ? earlier : later;
    switch (collision.why) {
    case Collision::Why::shared:
        return both + ", and " + collision.internal.short_text() +
               " reaches it too: legal is one internal for each external, so move one or give " +
               collision.internal.short_text() + " a pair of its own";
    case Collision::Why::scattered:
        return both + ", and npt does not keep it together: legal inside " + outer.text() + " are prefixes up to /" +
               (outer.length <= 48 ? "48 and from /64 on" : "64 and hosts");
    default:
        return both + ": legal is an address on one side only";
    }
}

std::string not_a_side(std::string_view text) {
    if (const auto enclosing = Prefix::enclosing(text)) {
        return in_quotes(text) + " has host bits set: legal is " + enclosing->text();
    }
    return in_quotes(text) +
           " is neither an address nor a prefix: legal is one such as 10.0.0.2, fd00::2 or 10.1.0.0/24";
}

std::optional<std::string> why_not(const Proposal& proposal, const Pairs& others) {
    const auto alone = objections(proposal);
    if (!alone.empty()) {
        return alone.front().sentence;
    }
    std::vector<Candidate> all = candidates(others);
    const std::size_t last = all.size();
    all.push_back({proposal.internal, proposal.external, proposal.npt.value_or(false)});
    for (const Collision& collision : overlaps(all).collisions) {
        if (collision.later == last) {
            return sentence(collision, all, "");
        }
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
    return pair.text() +
           " needs the engine \"expression\": stock rules cannot keep the host bits of a prefix (install the module "
           "nft_snat_stateless, or name each host)";
}

}  // namespace statnat
