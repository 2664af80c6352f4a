// SPDX-License-Identifier: GPL-2.0-or-later
// By libnftables, which knows the family. How it prints a table is its own affair: what it printed right behind loading
// one is compared with what it prints later.
#include "neighbours/arp_chain.hpp"

#include "error.hpp"

#include <functional>
#include <memory>
#include <new>
#include <utility>

#include <fmt/format.h>
#include <nftables/libnftables.h>

namespace statnat {
namespace {

constexpr std::string_view arp_table = "table arp statnat";
constexpr std::string_view mark = "made by statnat-nft, do not edit";

struct FreedContext {
    void operator()(nft_ctx* context) const { nft_ctx_free(context); }
};

struct Said {
    bool done;
    std::string output;
    std::string error;
};

Said run(const std::string& commands) {
    const std::unique_ptr<nft_ctx, FreedContext> context(nft_ctx_new(NFT_CTX_DEFAULT));
    if (!context || nft_ctx_buffer_output(context.get()) != 0 || nft_ctx_buffer_error(context.get()) != 0) {
        throw std::bad_alloc();
    }
    const bool done = nft_run_cmd_from_buffer(context.get(), commands.c_str()) == 0;
    return {done, nft_ctx_get_output_buffer(context.get()), nft_ctx_get_error_buffer(context.get())};
}

std::string list() {
    const Said said = run(fmt::format("list {}", arp_table));
    return said.done ? said.output : std::string();
}

std::string condensed(const std::string& text, const std::string& listed) {
    const std::hash<std::string> hash;
    return fmt::format("{:x}-{:x}", hash(text), hash(listed));
}

std::string elements(const std::vector<Range>& ranges) {
    std::string list;
    for (const Range& range : ranges) {
        list += fmt::format("{}{}", list.empty() ? "" : ", ", range.first.text());
        list += range.first == range.last ? "" : "-" + range.last.text();
    }
    return list;
}

}  // namespace

std::string arp_table_text(const Answers& answers) {
    if (answers.passing.empty()) {
        return {};
    }
    std::string rules;
    for (const auto& [link, ranges] : answers.passing) {
        rules += fmt::format("iifname \"{}\" arp operation request arp daddr ip != {{ {} }} drop\n", link,
                             elements(ranges));
    }
    return fmt::format("{} {{ chain input {{ comment \"{}\"; type filter hook input priority filter; policy accept;\n"
                       "{}}}\n}}\n",
                       arp_table, mark, rules);
}

ArpTable::ArpTable(std::string known) : known_(std::move(known)), listed_(list()) {}

bool ArpTable::is_ours() const {
    return listed_.find(mark) != std::string::npos;
}

bool ArpTable::is(const std::string& text) const {
    if (!text.empty() && !listed_.empty() && !is_ours()) {
        throw CannotGoOn{fmt::format("there is a {} which this tool has not made: give it another name", arp_table)};
    }
    return text.empty() ? !is_ours() : known_ == condensed(text, listed_);
}

void ArpTable::become(const std::string& text) {
    const std::string begin = listed_.empty() ? "" : fmt::format("delete {}\n", arp_table);
    const Said said = run(begin + text);
    if (!said.done) {
        throw CannotGoOn{fmt::format("the kernel refuses the {}: {}", arp_table,
                                     said.error.substr(0, said.error.find('\n')))};
    }
    listed_ = list();
    known_ = text.empty() ? "" : condensed(text, listed_);
}

}  // namespace statnat
