// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/ruleset_text.hpp"

#include <iterator>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace statnat {
namespace {

std::string_view keyword(Hook hook) {
    switch (hook) {
    case Hook::prerouting: return "prerouting";
    case Hook::input: return "input";
    case Hook::forward: return "forward";
    case Hook::output: return "output";
    case Hook::postrouting: break;
    }
    return "postrouting";
}

std::string_view type_of_addresses(Family family) {
    return family == Family::ipv4 ? "ipv4_addr" : "ipv6_addr";
}

class Writer {
public:
    void write(const Table& table, std::string_view name) {
        add("table {} {{\n", table_text(table.family, name));
        for (const Map& map : table.maps) {
            write(map, table.family);
        }
        for (const PrefixSet& set : table.prefix_sets) {
            write(set, table.family);
        }
        for (const StandingMap& map : table.standing_maps) {
            add("\tmap {} {{\n\t\ttype ether_type : verdict\n\t\tsize 1\n\t\telements = {{ {} : continue }}\n\t}}\n",
                map.name, table.family == Family::ipv4 ? "ip" : "ip6");
        }
        for (const Chain& chain : table.chains) {
            write(chain, table.family);
        }
        add("}}\n");
    }

    std::string take() { return std::move(text_); }

    template <typename... Values>
    void add(fmt::format_string<Values...> format, Values&&... values) {
        fmt::format_to(std::back_inserter(text_), format, std::forward<Values>(values)...);
    }

private:
    void write(const Map& map, Family family) {
        const std::string_view type = type_of_addresses(family);
        add("\t{} {} {{\n\t\ttype {}{}{}\n", map.values ? "map" : "set", map.name, type, map.values ? " : " : "",
            map.values ? type : "");
        if (map.capacity != 0) {
            add("\t\tsize {}\n", map.capacity);
        }
        if (map.counters) {
            add("\t\tcounter\n");
        }
        std::string_view before = "\t\telements = { ";
        for (std::size_t index = 0; index < map.elements.size(); ++index) {
            text_ += before;
            text_ += map.elements.key(index).text();
            if (const Comment& comment = map.elements.comment(index); !comment.empty()) {
                add(" comment \"{}\"", comment.text());
            }
            if (map.values) {
                add(" : {}", map.elements.value(index).text());
            }
            before = ",\n\t\t\t     ";
        }
        add("{}\t}}\n", map.elements.empty() ? "" : " }\n");
    }

    void write(const PrefixSet& set, Family family) {
        add("\tset {} {{\n\t\ttype {}\n\t\tflags interval\n", set.name, type_of_addresses(family));
        std::string_view before = "\t\telements = { ";
        for (const Prefix& prefix : set.prefixes) {
            add("{}{}", before, prefix.short_text());
            before = ", ";
        }
        add("{}\t}}\n", set.prefixes.empty() ? "" : " }\n");
    }

    void write(const Chain& chain, Family family) {
        add("\tchain {} {{\n", chain.name);
        if (!chain.comment.empty()) {
            add("\t\tcomment \"{}\"\n", chain.comment);
        }
        if (chain.hook) {
            add("\t\ttype {} hook {} priority {}; policy accept;\n", name(chain.type), keyword(*chain.hook),
                chain.priority);
        }
        for (const Rule& rule : chain.rules) {
            add("\t\t{}\n", text(rule, family));
        }
        add("\t}}\n");
    }

    std::string text_;
};

}  // namespace

std::string as_file(const Ruleset& ruleset, std::string_view name) {
    Writer writer;
    for (const Family family : families) {
        // A table that is not there cannot be deleted.
        writer.add("table {0}\ndelete table {0}\n", table_text(family, name));
    }
    for (const Table& table : ruleset) {
        writer.write(table, name);
    }
    return writer.take();
}

}  // namespace statnat
