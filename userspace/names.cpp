// SPDX-License-Identifier: GPL-2.0-or-later
#include "names.hpp"

#include <algorithm>
#include <cstddef>

namespace statnat {
namespace {

constexpr std::size_t longest_name = 15;  // IFNAMSIZ, less its zero

// What dev_valid_name() of net/core/dev.c refuses, and what nft could not write.
bool is_never_in_a_name(char character) {
    return character <= ' ' || character == 0x7f || character == '/' || character == ':' || character == '"';
}

// Tables, and files with what is added to their names, may be called so: all of these have 255 bytes.
constexpr std::size_t longest_instance = 64;

constexpr std::string_view table_of_all = "statnat";

bool is_never_in_an_instance(char character) {
    return !(character >= 'a' && character <= 'z') && !(character >= 'A' && character <= 'Z') &&
           !(character >= '0' && character <= '9') && character != '-' && character != '_';
}

}  // namespace

std::optional<std::string> objection_to_interface(std::string_view name) {
    if (name.empty() || name.size() > longest_name) {
        return "an interface has a name of 1 to " + std::to_string(longest_name) + " bytes";
    }
    if (const std::size_t asterisk = name.find('*'); asterisk == 0 || asterisk < name.size() - 1) {
        return "an asterisk stands for the rest of a name, behind its beginning";
    }
    if (name == "." || name == ".." || std::any_of(name.begin(), name.end(), is_never_in_a_name)) {
        return "no interface has such a name";
    }
    return {};
}

bool interface_covers(std::string_view pattern, std::string_view name) {
    return pattern.ends_with('*') ? name.starts_with(pattern.substr(0, pattern.size() - 1)) : pattern == name;
}

std::optional<std::string> objection_to_instance(std::string_view name) {
    if (name.empty() || name.size() > longest_instance || name.front() == '-' ||
        std::any_of(name.begin(), name.end(), is_never_in_an_instance)) {
        return "an instance has a name of 1 to " + std::to_string(longest_instance) +
               " letters, digits, hyphens and underscores, and no hyphen first";
    }
    if (name == "statnat" || name == "conf") {
        return "the instance without a name has statnat.toml and conf.d";
    }
    return {};
}

std::string Instance::table() const {
    return std::string(table_of_all) + (is_named() ? "-" + name_ : "");
}

std::string Instance::configuration() const {
    return is_named() ? "/etc/statnat/" + name_ + ".toml" : default_configuration;
}

std::string Instance::command(std::string_view command) const {
    return "statnat-nft " + (is_named() ? "--instance " + name_ + " " : "") + std::string(command);
}

std::string Instance::text() const {
    return is_named() ? "instance " + name_ : "the instance without a name";
}

std::optional<Instance> Instance::of_table(std::string_view table) {
    if (table == table_of_all) {
        return Instance();
    }
    if (!table.starts_with(table_of_all) || table.substr(table_of_all.size()).substr(0, 1) != "-") {
        return {};
    }
    const std::string_view name = table.substr(table_of_all.size() + 1);
    return objection_to_instance(name) ? std::nullopt : std::optional(Instance(std::string(name)));
}

}  // namespace statnat
