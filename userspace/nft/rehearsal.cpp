// SPDX-License-Identifier: GPL-2.0-or-later
// Whatever is not as expected, such as a function that libnftables calls no more, keeps the rule from coming back. A
// batch that went past us to the real kernel would be for a chain that is not there, and for a check only.
#include "nft/rehearsal.hpp"

#include "error.hpp"
#include "nft/session.hpp"
#include "statement/statement_json.hpp"
#include "wire/wire.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include <libnftnl/common.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nft_snat_stateless.h>
#include <nftables/libnftables.h>
#include <sys/socket.h>
#include <unistd.h>

namespace statnat {

namespace {

constexpr std::string_view table = "statnat-rehearsal";
constexpr std::string_view chain = "nowhere";

const SnatStateless statement{.field = Field::source, .maps = {{.name = "m"}}, .untracked = true};

// What libnftables gets.
std::string rule_in(Notation notation) {
    if (notation == Notation::json) {
        return R"({"nftables": [{"add": {"rule": {"family": "ip", "table": ")" + std::string(table) +
               R"(", "chain": ")" + std::string(chain) + R"(", "expr": [{"snat_stateless": )" +
               statement_json(statement) + "}]}}}]}\n";
    }
    return "add rule ip " + std::string(table) + " " + std::string(chain) + " " + text(statement, Family::ipv4) + "\n";
}

// What it then has to list.
std::string listed_in(Notation notation) {
    return notation == Notation::json ? R"("expr": [{"snat_stateless": )" + statement_json(statement) + "}]"
                                      : "\t\t" + text(statement, Family::ipv4) + "\n";
}

std::uint16_t nf_tables_type(int type) {
    return static_cast<std::uint16_t>(NFNL_SUBSYS_NFTABLES << 8 | type);
}

template <typename Fill>
Bytes message(nf_tables_msg_types type, Fill fill) {
    alignas(nlmsghdr) std::array<char, 256> room{};
    nlmsghdr* header = nftnl_nlmsg_build_hdr(room.data(), static_cast<std::uint16_t>(type), NFPROTO_IPV4, 0, 0);
    fill(header);
    return {room.data(), room.data() + header->nlmsg_len};
}

Bytes end_of_dump() {
    alignas(nlmsghdr) std::array<char, MNL_NLMSG_HDRLEN + sizeof(int)> room{};
    nlmsghdr* header = mnl_nlmsg_put_header(room.data());
    header->nlmsg_type = NLMSG_DONE;
    mnl_nlmsg_put_extra_header(header, sizeof(int));
    return {room.begin(), room.end()};
}

std::vector<Bytes> messages_for(std::uint16_t question, const std::vector<Bytes>& rules) {
    switch (question & 0xff) {
    case NFT_MSG_GETGEN:
        return {message(NFT_MSG_NEWGEN, [](nlmsghdr* header) { put_number(header, NFTA_GEN_ID, 1); })};
    case NFT_MSG_GETTABLE:
        return {message(NFT_MSG_NEWTABLE, [](nlmsghdr* header) { put_text(header, NFTA_TABLE_NAME, table); })};
    case NFT_MSG_GETCHAIN:
        return {message(NFT_MSG_NEWCHAIN, [](nlmsghdr* header) {
            put_text(header, NFTA_CHAIN_TABLE, table);
            put_text(header, NFTA_CHAIN_NAME, chain);
        })};
    case NFT_MSG_GETRULE: return rules;
    default: return {};
    }
}

[[noreturn]] void not_as_expected(const char* what) {
    throw CannotGoOn{std::string("this libnftables is none that statnat-nft nft can work with: ") + what +
                     " (nftables 1.0.6 and 1.1.3 are known to work); nothing was loaded or listed"};
}

// From a file, since libnftables reads files by functions of its own; from memory where there is no /proc.
void load(Session& session, const std::string& text) {
    const int file = text_file(text);
    const std::string name = "/proc/self/fd/" + std::to_string(file);
    if (::access(name.c_str(), R_OK) == 0) {
        session.run_file(name);
    } else {
        session.run(text);
    }
    ::close(file);
}

bool is_ours(const std::vector<Bytes>& rules) {
    return rules.size() == 1 && ::memmem(rules.front().data(), rules.front().size(), NFT_SNAT_STATELESS_NAME,
                                         sizeof NFT_SNAT_STATELESS_NAME);
}

// Whether `part` does, and comes to its end.
template <typename Part>
bool succeeds(Part part) {
    try {
        return part();
    } catch (const CannotGoOn&) {
        return false;
    }
}

}  // namespace

// Refused, because what is accepted is acknowledged, by rules that have changed before.
ssize_t RehearsalKernel::send(int, const msghdr& batch) {
    for (const iovec& page : std::span(batch.msg_iov, batch.msg_iovlen)) {
        int left = static_cast<int>(page.iov_len);
        for (auto* header = static_cast<nlmsghdr*>(page.iov_base); mnl_nlmsg_ok(header, left);
             header = mnl_nlmsg_next(header, &left)) {
            if (header->nlmsg_type == nf_tables_type(NFT_MSG_NEWRULE)) {
                const auto* bytes = reinterpret_cast<const std::uint8_t*>(header);
                rules_.emplace_back(bytes, bytes + header->nlmsg_len);
            }
        }
    }
    errno = ECANCELED;
    return -1;
}

ssize_t RehearsalKernel::ask(const mnl_socket*, Message question) {
    question_ = *reinterpret_cast<const nlmsghdr*>(question.data());
    return static_cast<ssize_t>(question.size());
}

// No more comes, says EAGAIN, as the socket of libnftables does.
ssize_t RehearsalKernel::receive(const mnl_socket* socket, std::span<std::uint8_t> buffer) {
    const auto question = std::exchange(question_, std::nullopt);
    const Bytes datagram = question ? answer(*question, mnl_socket_get_portid(socket)) : Bytes();
    if (datagram.empty() || datagram.size() > buffer.size()) {
        errno = EAGAIN;
        return -1;
    }
    std::copy(datagram.begin(), datagram.end(), buffer.begin());
    return static_cast<ssize_t>(datagram.size());
}

Bytes RehearsalKernel::answer(const nlmsghdr& question, std::uint32_t port) const {
    std::vector<Bytes> messages = messages_for(question.nlmsg_type, rules_);
    if (question.nlmsg_flags & NLM_F_DUMP) {
        messages.push_back(end_of_dump());
    }
    Bytes datagram;
    for (Bytes& each : messages) {
        auto* header = reinterpret_cast<nlmsghdr*>(each.data());
        header->nlmsg_flags = question.nlmsg_flags & NLM_F_DUMP ? NLM_F_MULTI : 0;
        header->nlmsg_seq = question.nlmsg_seq;
        header->nlmsg_pid = port;
        datagram.insert(datagram.end(), each.begin(), each.end());
        datagram.resize(MNL_ALIGN(datagram.size()));
    }
    return datagram;
}

void rehearse(Notation notation) {
    RehearsalKernel kernel;
    std::string output;
    Session session([&](std::string_view text) { output += text; }, [](std::string_view) {}, kernel);
    nft_ctx_output_set_flags(session.context(), notation == Notation::json ? NFT_CTX_OUTPUT_JSON : 0);
    nft_ctx_set_dry_run(session.context(), true);
    const auto loads = [&] {
        load(session, rule_in(notation));
        return is_ours(kernel.rules());
    };
    if (!succeeds(loads)) {
        not_as_expected("a rule on its way to the kernel does not come by here");
    }
    nft_ctx_set_dry_run(session.context(), false);  // in which a listing sends an empty batch
    const auto lists = [&] {
        return session.run("list ruleset") == 0 && output.find(listed_in(notation)) != std::string::npos;
    };
    if (!succeeds(lists)) {
        not_as_expected("a rule on its way from the kernel is not listed as it was loaded");
    }
}

}  // namespace statnat
