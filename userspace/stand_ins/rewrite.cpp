// SPDX-License-Identifier: GPL-2.0-or-later
// Only rules are looked into; a batch of a million elements is walked from message to message.
#include "stand_ins/rewrite.hpp"

#include "error.hpp"
#include "wire/refusals.hpp"
#include "wire/snat_stateless.hpp"
#include "wire/statement_writer.hpp"
#include "wire/wire.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nft_snat_stateless.h>
#include <linux/netlink.h>

namespace statnat {

namespace {

constexpr std::size_t header_size = MNL_NLMSG_HDRLEN + MNL_ALIGN(sizeof(nfgenmsg));
constexpr std::size_t longest_attribute = UINT16_MAX;
// Room for a rule and for one statement more, two lists of 255 maps with the longest names.
constexpr std::size_t rule_room = 256 * 1024;
// No errno, and nothing that strerror(3) has a word for.
constexpr int first_number = 1'000'000;

bool is_rule(Message message, std::uint16_t type) {
    return header_of(message).nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8 | type) && message.size() >= header_size;
}

bool has_expression(Message message) {
    return ::memmem(message.data(), message.size(), NFT_SNAT_STATELESS_NAME, sizeof(NFT_SNAT_STATELESS_NAME));
}

// Calls `visit` with each attribute, whole, and its type. Throws CannotGoOn.
template <typename Visit>
void for_each_attribute(Message attributes, Visit visit) {
    while (attributes.size() >= sizeof(nlattr)) {
        const auto* attribute = reinterpret_cast<const nlattr*>(attributes.data());
        if (attribute->nla_len < sizeof(nlattr) || attribute->nla_len > attributes.size()) {
            malformed("an attribute");
        }
        const std::size_t step = std::min<std::size_t>(MNL_ALIGN(attribute->nla_len), attributes.size());
        visit(mnl_attr_get_type(attribute), attributes.first(step));
        attributes = attributes.subspan(step);
    }
}

Message inside(Message attribute) {
    const auto* header = reinterpret_cast<const nlattr*>(attribute.data());
    return attribute.subspan(MNL_ATTR_HDRLEN, header->nla_len - MNL_ATTR_HDRLEN);
}

// A rule being written into `room`, from the header of the one that it is made of.
class RuleWriter {
public:
    RuleWriter(Bytes& room, Message original) : room_(room) {
        room_.resize(rule_room);
        std::fill_n(room_.begin(), size(), std::uint8_t{0});  // the last rule: libmnl leaves padding as it finds it
        std::memcpy(room_.data(), original.data(), header_size);
        message()->nlmsg_len = header_size;
    }

    nlmsghdr* message() { return reinterpret_cast<nlmsghdr*>(room_.data()); }
    std::uint32_t size() { return message()->nlmsg_len; }

    void copy(Message attribute) {
        std::memcpy(mnl_nlmsg_get_payload_tail(message()), attribute.data(), attribute.size());
        message()->nlmsg_len += static_cast<std::uint32_t>(MNL_ALIGN(attribute.size()));
    }

    // Runs `write` inside a nest, and says if the nest became too long for its length field.
    template <typename Write>
    void nest(std::uint16_t type, Write write) {
        nlattr* start = mnl_attr_nest_start(message(), type);
        const std::size_t begin = size() - MNL_ATTR_HDRLEN;
        write();
        if (size() - begin > longest_attribute) {
            throw CannotGoOn{"a rule with snat_stateless is too long for one netlink message"};
        }
        mnl_attr_nest_end(message(), start);
    }

    Message finish() { return {room_.data(), size()}; }

private:
    Bytes& room_;
};

}  // namespace

std::string Complaint::sentence() const {
    if (statement) {
        return meaning_of(error, &*statement).value_or(std::strerror(error));
    }
    return std::string(std::strerror(error)) +
           " (a chain with snat_stateless daddr or untrack must be reached from prerouting and output only, one with "
           "saddr from postrouting and input only, and none from a nat chain)";
}

void Rewriter::start_batch() {
    rules_.clear();
}

// Exactly what libnftables makes of a stand-in and nothing more, so that no log statement of the user is taken for one.
std::optional<SnatStateless> Rewriter::stood_for(Message expression) const {
    const Attributes attributes(expression.data(), expression.size());
    if (attributes.text(NFTA_EXPR_NAME) != "log") {
        return {};
    }
    std::string prefix;
    bool plain = true;
    for_each_attribute(attributes.bytes(NFTA_EXPR_DATA), [&](std::uint16_t type, Message attribute) {
        plain = plain && type == NFTA_LOG_PREFIX;
        if (plain) {
            const Message text = inside(attribute);
            prefix.assign(text.begin(), std::find(text.begin(), text.end(), std::uint8_t{0}));
        }
    });
    const StandInContent* content = plain ? stand_ins_.find(prefix) : nullptr;
    const auto* statement = content ? std::get_if<SnatStateless>(content) : nullptr;
    return statement ? std::optional(*statement) : std::nullopt;
}

Message Rewriter::rule_to_kernel(Message rule) {
    RuleWriter writer(room_, rule);
    RewrittenRule rewritten{0, {}};
    const auto offset = [&](Message part) { return static_cast<std::uint32_t>(part.data() - rule.data()); };
    for_each_attribute(rule.subspan(header_size), [&](std::uint16_t type, Message attribute) {
        if (type != NFTA_RULE_EXPRESSIONS) {
            writer.copy(attribute);
            return;
        }
        writer.nest(NFTA_RULE_EXPRESSIONS, [&] {
            const std::uint32_t list = writer.size();
            for_each_attribute(inside(attribute), [&](std::uint16_t, Message item) {
                auto statement = stood_for(inside(item));
                const std::uint32_t begin = writer.size();
                if (statement) {
                    put(writer.message(), Rule{.statements = {*statement}, .traffic = {}}, Family::ipv4);
                } else {
                    writer.copy(item);
                }
                if (writer.size() - list > longest_attribute) {
                    throw CannotGoOn{"a rule with snat_stateless is too long for one netlink message"};
                }
                rewritten.places.push_back({begin, writer.size(), offset(item), std::move(statement)});
            });
        });
    });
    rewritten.size = writer.size();
    rules_.emplace(header_of(rule).nlmsg_seq, std::move(rewritten));
    return writer.finish();
}

std::optional<Bytes> Rewriter::to_kernel(Message messages) {
    Bytes bytes;
    std::size_t copied = 0;
    for_each_message(messages, [&](Message message, Message with_padding) {
        if (!is_rule(message, NFT_MSG_NEWRULE) ||
            !stand_ins_.in({reinterpret_cast<const char*>(message.data()), message.size()})) {
            return;
        }
        const Message rule = rule_to_kernel(message);
        bytes.insert(bytes.end(), messages.data() + copied, message.data());
        bytes.insert(bytes.end(), rule.begin(), rule.end());
        copied = static_cast<std::size_t>(with_padding.data() + with_padding.size() - messages.data());
    });
    if (copied == 0) {
        return {};
    }
    bytes.insert(bytes.end(), messages.data() + copied, messages.data() + messages.size());
    return bytes;
}

// Empty for any expression but ours.
std::string Rewriter::stand_in_for(Message expression) {
    const Attributes attributes(expression.data(), expression.size());
    if (attributes.text(NFTA_EXPR_NAME) != NFT_SNAT_STATELESS_NAME) {
        return {};
    }
    if (const auto statement = snat_stateless_in(attributes.nest(NFTA_EXPR_DATA))) {
        return stand_ins_.name(*statement);
    }
    return stand_ins_.name(Unreadable{});
}

Message Rewriter::rule_from_kernel(Message rule) {
    RuleWriter writer(room_, rule);
    for_each_attribute(rule.subspan(header_size), [&](std::uint16_t type, Message attribute) {
        if (type != NFTA_RULE_EXPRESSIONS) {
            writer.copy(attribute);
            return;
        }
        writer.nest(NFTA_RULE_EXPRESSIONS, [&] {
            for_each_attribute(inside(attribute), [&](std::uint16_t, Message item) {
                const std::string name = stand_in_for(inside(item));
                if (name.empty()) {
                    writer.copy(item);
                    return;
                }
                writer.nest(NFTA_LIST_ELEM, [&] {
                    put_text(writer.message(), NFTA_EXPR_NAME, "log");
                    writer.nest(NFTA_EXPR_DATA, [&] { put_text(writer.message(), NFTA_LOG_PREFIX, name); });
                });
            });
        });
    });
    return writer.finish();
}

int Rewriter::number(Complaint complaint) {
    complaints_.push_back(std::move(complaint));
    return first_number + static_cast<int>(complaints_.size()) - 1;
}

const Complaint* Rewriter::find(int number) const {
    const int index = number - first_number;
    return index >= 0 && static_cast<std::size_t>(index) < complaints_.size()
               ? &complaints_[static_cast<std::size_t>(index)]
               : nullptr;
}

const Rewriter::RewrittenRule* Rewriter::refused(std::uint32_t sequence, std::uint32_t size) const {
    const auto [begin, end] = rules_.equal_range(sequence);
    const auto found = std::find_if(begin, end, [&](const auto& rule) { return rule.second.size == size; });
    return found == end ? nullptr : &found->second;
}

// The kernel names an attribute by its offset in the message that it got; libnftables knows the one that it wrote.
void Rewriter::refusal_from_kernel(std::span<std::uint8_t> message) {
    if (rules_.empty() || message.size() < MNL_NLMSG_HDRLEN + sizeof(nlmsgerr)) {
        return;
    }
    const auto* header = reinterpret_cast<const nlmsghdr*>(message.data());
    auto* refusal = reinterpret_cast<nlmsgerr*>(message.data() + MNL_NLMSG_HDRLEN);
    if (refusal->error >= 0) {
        return;
    }
    std::uint32_t* offset = nullptr;
    const std::size_t quoted = header->nlmsg_flags & NLM_F_CAPPED ? sizeof(nlmsghdr) : refusal->msg.nlmsg_len;
    const std::size_t options = MNL_NLMSG_HDRLEN + sizeof refusal->error + MNL_ALIGN(quoted);
    if (header->nlmsg_flags & NLM_F_ACK_TLVS && options < message.size()) {
        for_each_attribute(message.subspan(options), [&](std::uint16_t type, Message attribute) {
            if (type == NLMSGERR_ATTR_OFFS && inside(attribute).size() == sizeof *offset) {
                offset = reinterpret_cast<std::uint32_t*>(const_cast<std::uint8_t*>(inside(attribute).data()));
            }
        });
    }
    const RewrittenRule* rule = refused(header->nlmsg_seq, refusal->msg.nlmsg_len);
    const bool placed = offset && rule;
    const auto place = placed ? std::find_if(rule->places.begin(), rule->places.end(),
                                             [&](const Place& expression) {
                                                 return *offset >= expression.begin && *offset < expression.end;
                                             })
                              : std::vector<Place>::const_iterator();
    const bool inside_expression = placed && place != rule->places.end();
    if (inside_expression && place->statement) {
        *offset = place->original;
        refusal->error = -number({-refusal->error, place->statement});
        return;
    }
    if (inside_expression) {
        *offset = *offset - place->begin + place->original;
    }
    if (refusal->error == -EOPNOTSUPP) {  // where all chains are checked, maybe about one that a jump leads to
        refusal->error = -number({EOPNOTSUPP, {}});
    }
}

std::size_t Rewriter::from_kernel(std::span<std::uint8_t> messages) {
    std::uint8_t* end = messages.data();
    const auto keep = [&](Message message) {
        if (end != message.data()) {
            std::memmove(end, message.data(), message.size());
        }
        end += message.size();
    };
    const Message rest = for_each_message(messages, [&](Message message, Message with_padding) {
        std::uint8_t* begin = end;
        const bool rule = is_rule(message, NFT_MSG_NEWRULE) || is_rule(message, NFT_MSG_DELRULE);
        const Message rewritten = rule && has_expression(message) ? rule_from_kernel(message) : with_padding;
        // What no module would send, an expression without attributes, has no room for a stand-in.
        keep(rewritten.size() <= with_padding.size() ? rewritten : with_padding);
        if (header_of({begin, end}).nlmsg_type == NLMSG_ERROR) {
            refusal_from_kernel({begin, end});
        }
    });
    keep(rest);
    return static_cast<std::size_t>(end - messages.data());
}

}  // namespace statnat
