// SPDX-License-Identifier: GPL-2.0-or-later
#include "program/command_table.hpp"

#include "actual/this_machine.hpp"
#include "commands/edit.hpp"
#include "commands/exchange.hpp"
#include "commands/guard.hpp"
#include "commands/neighbours.hpp"
#include "commands/render.hpp"
#include "commands/show.hpp"
#include "commands/sync.hpp"
#include "config/configuration.hpp"
#include "doctor/doctor.hpp"
#include "error.hpp"
#include "files.hpp"
#include "live/repetition.hpp"
#include "live/top.hpp"
#include "metrics/metrics.hpp"
#include "monitor/monitor.hpp"
#include "nft/command_line.hpp"
#include "nft/save.hpp"
#include "packets/trace.hpp"
#include "printable.hpp"
#include "program/command_options.hpp"
#include "publish/publish.hpp"
#include "start/init.hpp"

#include <filesystem>
#include <iostream>
#include <optional>

#include <fmt/format.h>

namespace statnat {
namespace {

namespace fs = std::filesystem;

Kernel kernel(const Values& values, Progress& progress) {
    return this_kernel(instance_of(values), progress);
}

fs::path file_of(const Operands& operands, const Values& values) {
    return operands.empty() ? instance_of(values).configuration() : operands.front();
}

void refuse_instance(const Values& values, std::string_view what) {
    if (values.count("instance")) {
        throw CannotGoOn{fmt::format("{}: leave --instance out", what), exit_usage};
    }
}

int run_init(const Operands&, const Values& values, Progress& progress) {
    Kernel there = kernel(values, progress);
    return init(there, values["output"].as<std::string>(), std::cout);
}

int run_sync(const Operands& operands, const Values& values, Progress& progress) {
    Kernel there = kernel(values, progress);
    const FallBack fall_back = values.count("last-good") ? FallBack::without_pairs : FallBack::never;
    const SyncOptions options{values.count("force") != 0, fall_back};
    return sync(there, file_of(operands, values), engine_of(values), options, progress, std::cout);
}

int run_render(const Operands& operands, const Values& values, Progress& progress) {
    Kernel there = kernel(values, progress);
    return render(there, file_of(operands, values),
                  {engine_of(values), text_of(values, "output"), values.count("last-good") != 0}, progress, std::cout);
}

int run_check(const Operands& operands, const Values& values, Progress& progress) {
    return check(file_of(operands, values), instance_of(values), progress, std::cout);
}

int run_diff(const Operands& operands, const Values& values, Progress& progress) {
    Kernel there = kernel(values, progress);
    return diff(there, file_of(operands, values), engine_of(values), values.count("exit-code") != 0, progress,
                std::cout);
}

int run_list(const Operands&, const Values& values, Progress& progress) {
    if (values.count("json") && values.count("csv")) {
        throw CannotGoOn{"--json and --csv exclude each other", exit_usage};
    }
    const ListFormat format = values.count("json")  ? ListFormat::json
                              : values.count("csv") ? ListFormat::csv
                                                    : ListFormat::table;
    Kernel there = kernel(values, progress);
    const Choice choice = choice_of(values);
    const auto print = [&](std::ostream& out) { return list(there, choice, format, out); };
    return values.count("watch") ? repeat(print) : print(std::cout);
}

int run_add(const Operands& operands, const Values& values, Progress& progress) {
    Kernel there = kernel(values, progress);
    return add(there, config_of(values),
               {operands[0], operands[1], values.count("npt") != 0, values.count("inbound") != 0,
                values["comment"].as<std::string>()},
               std::cout);
}

int run_del(const Operands& operands, const Values& values, Progress& progress) {
    Kernel there = kernel(values, progress);
    return del(there, config_of(values), operands[0], std::cout);
}

int run_publish(const Operands& operands, const Values& values, Progress&) {
    const PublishOptions options{config_of(values), values.count("npt") != 0, values.count("inbound") != 0,
                                 values["comment"].as<std::string>(), values.count("force") != 0};
    if (operands.size() == 3 && operands[0] == "add") {
        return publish_add(operands[1], operands[2], options, std::cout);
    }
    if (operands.size() == 2 && operands[0] == "del") {
        return publish_del(operands[1], options, std::cout);
    }
    if (operands.size() != 1) {
        throw CannotGoOn{fmt::format("publish takes FILE, add INTERNAL EXTERNAL, or del ADDRESS (see {} publish "
                                     "--help)",
                                     program),
                         exit_usage};
    }
    return publish_file(operands[0], options, std::cout);
}

int run_explain(const Operands& operands, const Values& values, Progress& progress) {
    Kernel there = kernel(values, progress);
    return explain(there, operands[0], values.count("json") != 0, std::cout);
}

int run_status(const Operands& operands, const Values& values, Progress& progress) {
    Kernel there = kernel(values, progress);
    if (values.count("health")) {
        return health(there, file_of(operands, values), values.count("json") != 0, std::cout);
    }
    if (!operands.empty()) {
        throw CannotGoOn{"status reads no file but for --health", exit_usage};
    }
    return status(there, values.count("json") != 0, std::cout);
}

int run_stats(const Operands&, const Values& values, Progress& progress) {
    Kernel there = kernel(values, progress);
    return stats(there, values.count("json") != 0, values.count("explain") != 0, std::cout);
}

int run_metrics(const Operands& operands, const Values& values, Progress& progress) {
    Kernel there = kernel(values, progress);
    return metrics(there, file_of(operands, values),
                   {values.count("traffic") != 0, values.count("per-pair") != 0, text_of(values, "output")}, std::cout);
}

int run_doctor(const Operands& operands, const Values& values, Progress& progress) {
    Kernel there = kernel(values, progress);
    DoctorOptions options{.json = values.count("json") != 0};
    for (const std::string& text : values.count("towards") ? values["towards"].as<Operands>() : Operands()) {
        options.towards.push_back(read_address(text));
    }
    return doctor(there, file_of(operands, values), options, std::cout);
}

int run_watch(const Operands& operands, const Values& values, Progress& progress) {
    if (file_of(operands, values) == standard_input) {
        throw CannotGoOn{"watch reads its configuration again and again, and standard input only once: name a file",
                         exit_usage};
    }
    Kernel there = kernel(values, progress);
    watch(there, file_of(operands, values), progress, std::cout);
}

int run_monitor(const Operands&, const Values& values, Progress&) {
    return monitor({open_socket, open_event_socket}, instance_of(values), values.count("json") != 0, std::cout);
}

int run_trace(const Operands& operands, const Values& values, Progress& progress) {
    Kernel there = kernel(values, progress);
    return trace(there, read_address(operands[0]),
                 {values.count("json") != 0, text_of(values, "count"), text_of(values, "for")}, std::cout);
}

int run_top(const Operands&, const Values& values, Progress&) {
    return top({open_socket, open_event_socket}, instance_of(values), text_of(values, "interval"));
}

int run_neighbours(const Operands& operands, const Values& values, Progress& progress) {
    Kernel there = kernel(values, progress);
    const Announce announce = values.count("announce") ? Announce::yes : Announce::no;
    return neighbours(there, file_of(operands, values), engine_of(values), announce, progress, std::cout);
}

int run_drain(const Operands&, const Values& values, Progress& progress) {
    Kernel there = kernel(values, progress);
    return values.count("end") ? end_drain(there, ailments(there, instance_of(values).configuration()), std::cout)
                               : drain(there, std::cout);
}

int run_handover(const Operands&, const Values& values, Progress& progress) {
    Kernel there = kernel(values, progress);
    return handover(there, std::cout);
}

int run_clear(const Operands&, const Values& values, Progress& progress) {
    Kernel there = kernel(values, progress);
    return clear(there, values.count("keep-closed") != 0, std::cout);
}

int run_save(const Operands& operands, const Values& values, Progress&) {
    refuse_instance(values, "save writes the tables of all");
    return save(operands.empty() ? std::nullopt : std::optional<fs::path>(operands.front()));
}

const std::string& option_of(const Values& values, const char* name, std::string_view legal) {
    if (!values.count(name)) {
        throw CannotGoOn{fmt::format("--{} is missing: legal are {}", name, legal), exit_usage};
    }
    return values[name].as<std::string>();
}

int run_import(const Operands& operands, const Values& values, Progress& progress) {
    refuse_instance(values, "import asks no kernel");
    const Format& format = find_format(option_of(values, "from", names_of_formats()));
    return import_pairs(format, operands.empty() ? standard_input : operands.front(),
                        values.count("csv") ? PairsAs::csv : PairsAs::toml, progress, std::cout);
}

int run_export(const Operands& operands, const Values& values, Progress& progress) {
    const std::string& form = option_of(values, "to", "nft-native, csv and json");
    return export_pairs(form, file_of(operands, values), instance_of(values), progress, std::cout);
}

constexpr Command commands[] = {
    {"init", "", 0, 0, "look at this machine and write a first configuration", init_options, run_init, Output::data},
    {"sync", "[FILE]", 0, 1, "make the kernel equal the configuration", sync_options, run_sync},
    {"check", "FILE", 1, 1, "read a configuration and say what is wrong with it", no_options, run_check},
    {"diff", "[FILE]", 0, 1, "show what sync would do", diff_options, run_diff, Output::report},
    {"render", "[FILE]", 0, 1, "write what sync would load as text for nft to include", render_options, run_render,
     Output::data},
    {"handover", "", 0, 0, "prepare the rules for a reload of the whole ruleset that is about to begin", no_options,
     run_handover},
    {"list", "", 0, 0, "show the kernel's pairs with their traffic", list_options, run_list, Output::report},
    {"add", "INTERNAL EXTERNAL", 2, 2, "add a pair to the kernel only", add_options, run_add},
    {"del", "ADDRESS", 1, 1, "delete the pair of an address from the kernel only", config_option, run_del},
    {"publish", "FILE | add INTERNAL EXTERNAL | del ADDRESS", 1, 3, "change the pairs of all gateways, in etcd",
     publish_options, run_publish},
    {"explain", "ADDRESS", 1, 1, "show what the kernel makes of an address, and by which pair", json_option,
     run_explain, Output::report},
    {"status", "[FILE]", 0, 1, "show the engine, the rules and what they lack", status_options, run_status,
     Output::report},
    {"stats", "", 0, 0, "show how many packets were translated, left alone or dropped, and why", stats_options,
     run_stats, Output::report},
    {"doctor", "[FILE]", 0, 1, "say what is wrong around this tool, and what cures it", doctor_options, run_doctor,
     Output::report},
    {"metrics", "[FILE]", 0, 1, "print what monitoring collects, for Prometheus", metrics_options, run_metrics,
     Output::data},
    {"watch", "[FILE]", 0, 1, "sync, and again whenever somebody else changes the rules", no_options, run_watch},
    {"top", "", 0, 0, "show the busiest pairs and their traffic of each second", top_options, run_top, Output::data},
    {"monitor", "", 0, 0, "tell what becomes of pairs, as it happens, and by whom", json_option, run_monitor,
     Output::data},
    {"trace", "ADDRESS", 1, 1, "show packets of a pair as they pass, and what each rule does to them", trace_options,
     run_trace, Output::data},
    {"neighbours", "[FILE]", 0, 1, "answer ARP and NDP for external addresses of the configuration",
     neighbours_options, run_neighbours},
    {"drain", "", 0, 0, "have nobody send here any more, for maintenance; pairs stay", drain_options, run_drain},
    {"clear", "", 0, 0, "delete everything that this tool has made in the kernel", clear_options, run_clear},
    {"nft", "[ARGUMENT...]", 0, 0, "be nft(8) with one more statement, snat_stateless", no_options, nullptr,
     Output::data, nft},
    {"import", "[FILE]", 0, 1, "make pairs of what other translators are configured with", import_options, run_import,
     Output::data},
    {"export", "[FILE]", 0, 1, "write a configuration's pairs for others", export_options, run_export, Output::data},
    {"save", "[FILE]", 0, 1, "write the kernel's whole ruleset as a file for boot", no_options, run_save, Output::data},
    {"help", "[COMMAND]", 0, 1, "show this help, or that of a command", no_options, nullptr, Output::data},
};

}  // namespace

Instance instance_of(const Values& values) {
    const auto name = text_of(values, "instance");
    if (const auto objection = name ? objection_to_instance(*name) : std::nullopt) {
        throw CannotGoOn{fmt::format("--instance {}: {}", in_quotes(*name), *objection), exit_usage};
    }
    return name ? Instance(*name) : Instance();
}

std::span<const Command> all_commands() {
    return commands;
}

const Command& find_command(const std::string& name) {
    for (const Command& command : commands) {
        if (command.name == name) {
            return command;
        }
    }
    throw CannotGoOn{fmt::format("there is no command \"{}\" (see {} --help)", name, program), exit_usage};
}

}  // namespace statnat
