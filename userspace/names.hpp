// SPDX-License-Identifier: GPL-2.0-or-later
// What interfaces and instances may be called, and what is called after an instance.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace statnat {

// What is wrong with the name of an interface, or the beginning of one with an asterisk behind it, as nft has them;
// nothing if nothing is. It need not exist.
std::optional<std::string> objection_to_interface(std::string_view name);

// Whether all interfaces that `name` stands for are among those of `pattern`.
bool interface_covers(std::string_view pattern, std::string_view name);

// What is wrong with the name of an instance: it is part of those of tables, files and units.
std::optional<std::string> objection_to_instance(std::string_view name);

inline constexpr const char* default_configuration = "/etc/statnat/statnat.toml";

// One of the gateways that stand beside one another in a network namespace, each with a configuration, tables and units
// of its own. The one without a name is there always; what there can be only once, such as this machine's answers for
// addresses, is its own.
class Instance {
public:
    Instance() = default;
    explicit Instance(std::string name) : name_(std::move(name)) {}

    const std::string& name() const { return name_; }
    bool is_named() const { return !name_.empty(); }

    std::string table() const;                             // "statnat", "statnat-red"
    std::string configuration() const;                     // "/etc/statnat/red.toml"
    std::string command(std::string_view command) const;   // "statnat-nft --instance red sync"
    std::string text() const;                              // "instance red", "the instance without a name"

    // Whose tables these are; nothing where they are nobody's.
    static std::optional<Instance> of_table(std::string_view table);

    bool operator==(const Instance&) const = default;

private:
    std::string name_;
};

}  // namespace statnat
