// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/source_table.hpp"

#include "names.hpp"
#include "printable.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <utility>

#include <fmt/format.h>

namespace statnat {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view secure = "https://";
constexpr std::string_view insecure = "http://";
constexpr std::string_view legal_etcd =
    R"(: legal is an array such as ["https://10.0.0.1:2379", "https://10.0.0.2:2379"])";
constexpr std::string_view legal_time = R"(: legal is a time of 1s to 24h, such as "60s", "5m" or "1h")";
constexpr std::chrono::hours longest_time(24);

// A host and its port, and nothing else: neither passwords nor paths.
bool is_endpoint(std::string_view text) {
    const std::string_view scheme = text.starts_with(secure) ? secure : insecure;
    if (!text.starts_with(scheme)) {
        return false;
    }
    text.remove_prefix(scheme.size());
    const auto may_stand = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
               c == ':' || c == '[' || c == ']';
    };
    return !text.empty() && std::all_of(text.begin(), text.end(), may_stand);
}

std::optional<std::chrono::seconds> read_time(std::string_view text) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
    const std::int64_t factor = unit == "s" ? 1 : unit == "m" ? 60 : unit == "h" ? 3600 : 0;
    const std::int64_t most = std::chrono::seconds(longest_time).count();
    if (error != std::errc() || factor == 0 || number < 1 || number > most || number * factor > most) {
        return std::nullopt;
    }
    return std::chrono::seconds(number * factor);
}

// Of the file that all others are read after: statnat.toml, or NAME.toml of an instance.
std::string default_prefix(const fs::path& file) {
    const std::string name = file.stem().string();
    return fmt::format("/statnat/{}/", objection_to_instance(name) ? "default" : name);
}

}  // namespace

void SourceTable::read(const toml::table& table) {
    static constexpr std::array<std::pair<std::string_view, void (SourceTable::*)(const toml::node&)>, 9> settings{{
        {"etcd", &SourceTable::read_etcd},
        {"prefix", &SourceTable::read_prefix},
        {"ca", &SourceTable::read_ca},
        {"certificate", &SourceTable::read_certificate},
        {"key", &SourceTable::read_key},
        {"user", &SourceTable::read_user},
        {"password-file", &SourceTable::read_password_file},
        {"stale-after", &SourceTable::read_stale_after},
        {"only", &SourceTable::read_only},
    }};
    if (!draft_.configuration.source) {
        draft_.configuration.source.emplace().prefix = default_prefix(draft_.file(0));
        draft_.set("source", "a table", place(table.source()));
    }
    for (const auto& [key, node, before] : in_reading_order(table)) {
        const auto setting = std::find_if(settings.begin(), settings.end(),
                                          [&, known = key](const auto& one) { return *known == one.first; });
        if (setting == settings.end()) {
            draft_.error(place(key->source()),
                         fmt::format("unknown key {}: legal are etcd, prefix, ca, certificate, key, user, "
                                     "password-file, stale-after and only",
                                     in_quotes(*key)));
        } else {
            (this->*setting->second)(*node);
        }
    }
}

// Several files may say the same.
std::optional<std::string> SourceTable::text(std::string_view key, std::string_view legal, const toml::node& node) {
    auto text = node.value<std::string>();
    const bool odd = text && (text->empty() || printable(*text) != *text);
    if (!text || odd) {
        draft_.error(place(node.source()), fmt::format("{} is {}{}", key, what_came(node), legal));
        return std::nullopt;
    }
    draft_.set(key, what_came(node), place(node.source()));
    return text;
}

void SourceTable::read_etcd(const toml::node& node) {
    const toml::array* const list = node.as_array();
    if (!list || list->empty()) {
        draft_.error(place(node.source()), fmt::format("etcd is {}{}", what_came(node), legal_etcd));
        return;
    }
    draft_.set("etcd", "a list", place(node.source()));  // that of all files together
    for (const toml::node& one : *list) {
        auto endpoint = one.value<std::string>();
        if (!endpoint || !is_endpoint(*endpoint)) {
            draft_.error(place(one.source()), fmt::format("{} is no member of etcd{}", what_came(one), legal_etcd));
            continue;
        }
        auto& known = source().etcd.endpoints;
        if (std::find(known.begin(), known.end(), *endpoint) == known.end()) {
            known.push_back(std::move(*endpoint));
        }
    }
}

void SourceTable::read_prefix(const toml::node& node) {
    constexpr std::string_view legal =
        R"(: legal is the beginning of keys with a slash behind it, such as "/statnat/red/")";
    const auto prefix = text("prefix", legal, node);
    if (prefix && (prefix->size() < 2 || !prefix->ends_with('/'))) {
        draft_.error(place(node.source()), fmt::format("prefix is {}{}", what_came(node), legal));
    } else if (prefix) {
        source().prefix = *prefix;
    }
}

void SourceTable::read_user(const toml::node& node) {
    if (auto user = text("user", R"(: legal is a name that etcd knows, such as "gateway")", node)) {
        source().etcd.user = std::move(*user);
    }
}

void SourceTable::read_file_name(std::string_view key, fs::path& file, const toml::node& node) {
    constexpr std::string_view legal = R"(: legal is the name of a file, such as "/etc/statnat/etcd.pem")";
    if (const auto name = text(key, legal, node)) {
        file = draft_.file(number_).parent_path() / *name;
    }
}

void SourceTable::read_stale_after(const toml::node& node) {
    const auto given = text("stale-after", legal_time, node);
    const auto time = given ? read_time(*given) : std::nullopt;
    if (time) {
        source().stale_after = *time;
    } else if (given) {
        draft_.error(place(node.source()), fmt::format("stale-after is {}{}", what_came(node), legal_time));
    }
}

void SourceTable::read_only(const toml::node& node) {
    constexpr std::string_view legal = R"(: legal is an array of external prefixes such as ["198.51.100.0/24"])";
    const toml::array* const list = node.as_array();
    if (!list || list->empty()) {
        draft_.error(place(node.source()), fmt::format("only is {}{}", what_came(node), legal));
        return;
    }
    for (const toml::node& one : *list) {
        const auto given = one.value<std::string_view>();
        if (const auto prefix = given ? Prefix::parse(*given) : std::nullopt) {
            source().only.push_back(*prefix);
        } else {
            draft_.error(place(one.source()), fmt::format("{} is not a prefix{}", what_came(one), legal));
        }
    }
}

void settle_source(Draft& draft) {
    if (!draft.configuration.source) {
        return;
    }
    const EtcdAccess& etcd = draft.configuration.source->etcd;
    const Position at = draft.place_of("source");
    const auto is_insecure = [](const std::string& one) { return one.starts_with(insecure); };
    const bool in_the_clear = std::any_of(etcd.endpoints.begin(), etcd.endpoints.end(), is_insecure);
    if (etcd.endpoints.empty() && !draft.has_errors()) {
        draft.error(at, fmt::format("source without etcd{}", legal_etcd));
    }
    if (etcd.certificate.empty() != etcd.key.empty()) {
        draft.error(at, "certificate and key in source: legal are both of them, or none");
    }
    if (etcd.user.empty() != etcd.password_file.empty()) {
        draft.error(at, "user and password-file in source: legal are both of them, or none");
    }
    if (in_the_clear && (!etcd.user.empty() || !etcd.certificate.empty() || !etcd.ca.empty())) {
        draft.error(at, "ca, certificate or user in source beside http://: legal is https:// alone, since anybody "
                        "could read the rest");
    }
}

namespace {

enum class Share { all, none, part };

Share share_of(const std::vector<Prefix>& only, const Prefix& external) {
    const auto covers = [&](const Prefix& one) { return one.covers(external); };
    const auto is_inside = [&](const Prefix& one) { return external.covers(one); };
    if (only.empty() || std::any_of(only.begin(), only.end(), covers)) {
        return Share::all;
    }
    return std::any_of(only.begin(), only.end(), is_inside) ? Share::part : Share::none;
}

bool is_plain(const SourcePair& pair) {
    return pair.further.empty() && !pair.npt && pair.comment.empty() && pair.objection.empty();
}

// Two hosts of IPv4 of which nothing else is said, which is what large sources consist of.
bool take_plain(const std::string& key, const SourcePair& pair, const std::vector<Prefix>& only, Draft& draft) {
    const char* at = key.c_str();
    Address internal;
    Address external;
    if (!is_plain(pair) || !internal.take_ipv4(at) || *at != '\0' || !external.take_ipv4(at = pair.external.c_str()) ||
        *at != '\0' || !are_plain_hosts(internal, external)) {
        return false;
    }
    if (share_of(only, Prefix::host(external)) == Share::all) {
        draft.take_plain(internal, external);
    }
    return true;
}

void take(const std::string& key, const SourcePair& pair, const std::vector<Prefix>& only, Draft& draft) {
    const Position at = draft.add_source_key(key);
    if (!pair.objection.empty()) {
        draft.error(at, pair.objection);
        return;
    }
    const auto internal = draft.side(key, at);
    if (internal && internal->short_text() != key) {
        draft.error(at, fmt::format("{} is written otherwise: legal is {}, so that no pair has two keys",
                                    in_quotes(key), internal->short_text()));
        return;
    }
    const auto external = draft.side(pair.external, at);
    const Share share = external ? share_of(only, *external) : Share::all;
    if (share == Share::part) {
        draft.error(at, fmt::format("{} is larger than what this gateway has (only): legal is one that is wholly in "
                                    "it, or not at all",
                                    pair.external));
    }
    if (share != Share::all) {
        return;
    }
    draft.take({.pair = {internal, external, pair.npt, Comment(pair.comment)},
                .internal_at = at, .external_at = at, .npt_at = at, .comment_at = at});
    for (const std::string& further : pair.further) {
        draft.take({.pair = {internal, draft.side(further, at), std::nullopt, {}, true},
                    .internal_at = at, .external_at = at, .npt_at = at, .comment_at = at});
    }
}

}  // namespace

std::int64_t removed_of(const SourceSnapshot& snapshot) {
    const auto found = snapshot.pairs.find(removed_key);
    std::int64_t number = 0;
    if (found != snapshot.pairs.end()) {
        const std::string& text = found->second.external;
        std::from_chars(text.data(), text.data() + text.size(), number);
    }
    return number;
}

void take_from_source(const std::shared_ptr<const SourceSnapshot>& snapshot, Draft& draft) {
    const Source& source = *draft.configuration.source;
    draft.begin_source(source.prefix);
    draft.configuration.source_revision = snapshot->revision;
    draft.configuration.pairs.expect(snapshot->pairs.size());
    for (const auto& [key, pair] : snapshot->pairs) {
        if (key == removed_key) {
            continue;
        }
        if (draft.is_careful() || !take_plain(key, pair, source.only, draft)) {
            take(key, pair, source.only, draft);
        }
    }
}

}  // namespace statnat
