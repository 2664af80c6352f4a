// SPDX-License-Identifier: GPL-2.0-or-later
// The table [gateway] of one TOML file: its settings, and the files of pairs that it names.
#pragma once

#include "config/configuration.hpp"
#include "config/draft.hpp"
#include "toml/toml_document.hpp"

#include <optional>
#include <string_view>

namespace statnat {

class GatewayTable {
public:
    // The draft has its file under this number, and what is read goes there.
    GatewayTable(unsigned number, Draft& draft) : number_(number), draft_(draft) {}

    void read(const toml::table& gateway);

private:
    Position place(const toml::source_region& region) const {
        return {number_, region.begin.line, region.begin.column};
    }
    void read_engine(const toml::node& node);
    void read_counters(const toml::node& node);
    void read_npt_of_gateway(const toml::node& node);
    void read_exempt_destinations(const toml::node& node);
    void read_only_destinations(const toml::node& node);
    void read_exclude(const toml::node& node);
    void read_except(const toml::node& node);
    void read_external_interfaces(const toml::node& node);
    void refuse_many_beside_interfaces(Position at);
    void read_ruleset_file(const toml::node& node);
    void read_neighbours(const toml::node& node);
    void read_announce(const toml::node& node);
    void read_fail_closed(const toml::node& node);
    void keep_to_one_instance(std::string_view key, bool wanted, Position at);
    void read_mark(const toml::node& node);
    void read_vrf(const toml::node& node);
    void read_conntrack(const toml::node& node);
    void read_fast_path(const toml::node& node);
    void read_icmp_error_source(const toml::node& node);
    void read_icmp_error_source_of_family(const toml::node& node);
    void find_pairs_files(const toml::node& node);
    template <class Value, std::size_t count>
    void take_word(Value& value, const Words<Value, count>& words, const toml::node& node, std::string_view key);
    std::optional<bool> read_switch(std::string_view key, const toml::node& node);
    template <class Take>
    void each_in(const toml::node& node, std::string_view key, std::string_view legal, Take take);
    template <class Take>
    void read_prefixes(std::string_view key, std::string_view example, const toml::node& node, Take take);

    unsigned number_;
    Draft& draft_;
};

}  // namespace statnat
