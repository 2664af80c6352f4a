// SPDX-License-Identifier: GPL-2.0-or-later
// The table [source] of one TOML file: where pairs are kept that many gateways have in common; and these pairs.
#pragma once

#include "config/configuration.hpp"
#include "config/draft.hpp"
#include "toml/toml_document.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace statnat {

// The key beside those of pairs that says how many of these were taken away on purpose, ever.
inline constexpr std::string_view removed_key = "@removed";
std::int64_t removed_of(const SourceSnapshot& snapshot);

class SourceTable {
public:
    // The draft has its file under this number, and what is read goes there.
    SourceTable(unsigned number, Draft& draft) : number_(number), draft_(draft) {}

    void read(const toml::table& table);

private:
    Position place(const toml::source_region& region) const {
        return {number_, region.begin.line, region.begin.column};
    }
    Source& source() { return *draft_.configuration.source; }
    std::optional<std::string> text(std::string_view key, std::string_view legal, const toml::node& node);
    void read_etcd(const toml::node& node);
    void read_prefix(const toml::node& node);
    void read_ca(const toml::node& node) { read_file_name("ca", source().etcd.ca, node); }
    void read_certificate(const toml::node& node) { read_file_name("certificate", source().etcd.certificate, node); }
    void read_key(const toml::node& node) { read_file_name("key", source().etcd.key, node); }
    void read_user(const toml::node& node);
    void read_password_file(const toml::node& node) {
        read_file_name("password-file", source().etcd.password_file, node);
    }
    void read_stale_after(const toml::node& node);
    void read_only(const toml::node& node);
    void read_file_name(std::string_view key, std::filesystem::path& file, const toml::node& node);

    unsigned number_;
    Draft& draft_;
};

// What the settings of all files mean for each other.
void settle_source(Draft& draft);

// The pairs of the source that are for this gateway; the draft keeps its keys as long as it lives.
void take_from_source(const std::shared_ptr<const SourceSnapshot>& snapshot, Draft& draft);

}  // namespace statnat
