// SPDX-License-Identifier: GPL-2.0-or-later
#include "program/command_options.hpp"

#include "commands/exchange.hpp"
#include "config/configuration.hpp"
#include "error.hpp"

#include <fmt/format.h>

namespace statnat {

namespace fs = std::filesystem;

std::optional<std::string> text_of(const Values& values, const char* name) {
    return values.count(name) ? std::optional(values[name].as<std::string>()) : std::nullopt;
}

void no_options(options::options_description&) {}

void engine_option(options::options_description& own) {
    own.add_options()("engine", options::value<std::string>()->value_name("auto|expression|native"),
                      "how the rules translate, whatever the file says");
}

std::optional<EngineChoice> engine_of(const Values& values) {
    const auto engine = text_of(values, "engine");
    for (const auto& [word, choice] : engine_words) {
        if (engine == word) {
            return choice;
        }
    }
    if (engine) {
        throw CannotGoOn{fmt::format("--engine must be auto, expression or native, not \"{}\"", *engine), exit_usage};
    }
    return std::nullopt;
}

void config_option(options::options_description& own) {
    own.add_options()("config", options::value<std::string>()->default_value(default_configuration)->value_name("FILE"),
                      "the configuration to compare with");
}

fs::path config_of(const Values& values) {
    return values["config"].defaulted() ? fs::path(instance_of(values).configuration())
                                        : fs::path(values["config"].as<std::string>());
}

void sync_options(options::options_description& own) {
    engine_option(own);
    own.add_options()("last-good", "where the kernel has no pairs and the file is broken, load what worked last")(
        "force", "remove pairs even if none, or fewer than half of them, would be left");
}

void render_options(options::options_description& own) {
    engine_option(own);
    own.add_options()("last-good", "where the configuration is broken, write what worked last")(
        "output", options::value<std::string>()->value_name("FILE"),
        "the file to write, whatever the configuration says");
}

void diff_options(options::options_description& own) {
    engine_option(own);
    own.add_options()("exit-code", "exit with 3 if there is a difference, or with 5 if pairs wait for the module");
}

void neighbours_options(options::options_description& own) {
    engine_option(own);
    own.add_options()("announce", "tell their networks unasked that they are here now");
}

void drain_options(options::options_description& own) {
    own.add_options()("end", "put the routes back");
}

void list_options(options::options_description& own) {
    own.add_options()("json,j", "print JSON")("csv", "print CSV with a header line")(
        "sort", options::value<std::string>()->value_name("internal|external|packets|bytes"),
        "by address, or by traffic, the most first")("top", options::value<std::string>()->value_name("N"),
                                                     "only the first N")(
        "within", options::value<std::string>()->value_name("PREFIX"), "only pairs of addresses that are there")(
        "family", options::value<std::string>()->value_name("ipv4|ipv6"), "only pairs of this family")(
        "comment", options::value<std::string>()->value_name("TEXT"), "only pairs whose comment has this in it")(
        "watch", "again and again, on a terminal in the same place");
}

Choice choice_of(const Values& values) {
    return read_choice({text_of(values, "sort"), text_of(values, "top"), text_of(values, "within"),
                        text_of(values, "family"), text_of(values, "comment")});
}

void add_options(options::options_description& own) {
    config_option(own);
    own.add_options()("comment", options::value<std::string>()->default_value("")->value_name("TEXT"),
                      "kept beside the pair")("npt", "translate neutrally to checksums (RFC 6296)")(
        "inbound", "one more address for a host that answers from that of its pair");
}

void publish_options(options::options_description& own) {
    add_options(own);
    own.add_options()("force", "remove pairs even if fewer than half of them would be left");
}

void clear_options(options::options_description& own) {
    own.add_options()("keep-closed", "leave the policy rules of fail-closed, which then hold packets of pairs back");
}

void json_option(options::options_description& own) {
    own.add_options()("json,j", "print JSON");
}

void status_options(options::options_description& own) {
    own.add_options()("json,j", "print JSON")("health", "say only whether all is as sync left it, fast");
}

void stats_options(options::options_description& own) {
    own.add_options()("json,j", "print JSON")("explain", "also say what each number is, in a sentence");
}

void top_options(options::options_description& own) {
    own.add_options()("interval", options::value<std::string>()->value_name("SECONDS"), "how often it is refreshed");
}

void trace_options(options::options_description& own) {
    own.add_options()("json,j", "print JSON, an object a line")(
        "count", options::value<std::string>()->value_name("N"), "end after so many packets")(
        "for", options::value<std::string>()->value_name("SECONDS"), "end after so long");
}

void metrics_options(options::options_description& own) {
    own.add_options()("traffic", "also what pairs count, in sums, for which all of them are read")(
        "per-pair", "also each pair's traffic")("output", options::value<std::string>()->value_name("FILE"),
                                                "write there, by replacing it as a whole");
}

void doctor_options(options::options_description& own) {
    own.add_options()("json,j", "print JSON")("towards", options::value<Operands>()->value_name("ADDRESS"),
                                              "to which packets are tried, in place of 193.0.14.129 or 2001:7fd::1");
}

void import_options(options::options_description& own) {
    static const std::string formats = "what FILE is: " + names_of_formats();
    own.add_options()("from", options::value<std::string>()->value_name("FORMAT"), formats.c_str())(
        "csv", "print CSV with a header line, not TOML");
}

void export_options(options::options_description& own) {
    own.add_options()("to", options::value<std::string>()->value_name("nft-native|csv|json"),
                      "what to print: rules for stock nft, or the pairs as list does");
}

void init_options(options::options_description& own) {
    own.add_options()("output", options::value<std::string>()->default_value(default_configuration)->value_name("FILE"),
                      "the file to write, which must not be there yet, or -");
}

}  // namespace statnat
