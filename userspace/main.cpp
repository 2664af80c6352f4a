// SPDX-License-Identifier: GPL-2.0-or-later
// The command line: a table of commands, their options, and the one place where errors end.
#include "commands/edit.hpp"
#include "commands/show.hpp"
#include "commands/sync.hpp"
#include "error.hpp"
#include "nft/command_line.hpp"
#include "nft/save.hpp"
#include "printable.hpp"
#include "quantity.hpp"

#include <algorithm>
#include <exception>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <iterator>
#include <new>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/program_options.hpp>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <fcntl.h>
#include <unistd.h>

namespace options = boost::program_options;

namespace {

using namespace statnat;

constexpr std::string_view program = "statnat-nft";
constexpr const char* default_configuration = "/etc/statnat/statnat.toml";
constexpr const char* state_directory = "/run/statnat";

using Operands = std::vector<std::string>;
using Values = options::variables_map;

// What a command prints: what has been done, or what was asked for.
enum class Output { message, data };

struct Command {
    std::string_view name;
    std::string_view operands;
    std::size_t least;  // operands
    std::size_t most;
    std::string_view purpose;
    void (*declare)(options::options_description& own);
    int (*run)(const Operands& operands, const Values& values, Progress& progress);
    Output output = Output::message;
    int (*run_words)(Operands words) = nullptr;  // has a command line of its own, from its name on
};

// What is remembered of the kernel of this network namespace since boot.
StateFile state_file() {
    const auto cookie = network_namespace();
    std::string boot;
    std::ifstream("/proc/sys/kernel/random/boot_id") >> boot;
    return cookie && !boot.empty() ? StateFile(state_directory, *cookie, boot) : StateFile();
}

Kernel kernel(Progress& progress) {
    return {Netlink(open_socket()), state_file(), progress};
}

Path file_of(const Operands& operands) {
    return operands.empty() ? default_configuration : operands.front();
}

void no_options(options::options_description&) {}

void engine_option(options::options_description& own) {
    own.add_options()("engine", options::value<std::string>()->value_name("auto|expression|native"),
                      "how the rules translate, whatever the file says");
}

std::optional<EngineChoice> engine_of(const Values& values) {
    std::optional<EngineChoice> choice;
    if (!values.count("engine")) {
        return choice;
    }
    const auto& engine = values["engine"].as<std::string>();
    if (engine == "auto") {
        choice.emplace();
    } else if (engine == "expression") {
        choice.emplace(Engine::expression);
    } else if (engine == "native") {
        choice.emplace(Engine::native);
    } else {
        throw CannotGoOn{"--engine must be auto, expression or native, not \"" + engine + "\"", exit_usage};
    }
    return choice;
}

void config_option(options::options_description& own) {
    own.add_options()("config", options::value<std::string>()->default_value(default_configuration)->value_name("FILE"),
                      "the configuration to compare with");
}

Path config_of(const Values& values) {
    return values["config"].as<std::string>();
}

void sync_options(options::options_description& own) {
    engine_option(own);
    own.add_options()("force", "remove pairs even if none, or fewer than half of them, would be left");
}

void diff_options(options::options_description& own) {
    engine_option(own);
    own.add_options()("exit-code", "exit with 3 if there is a difference");
}

void list_options(options::options_description& own) {
    own.add_options()("json,j", "print JSON")("csv", "print CSV with a header line");
}

void add_options(options::options_description& own) {
    config_option(own);
    own.add_options()("comment", options::value<std::string>()->default_value("")->value_name("TEXT"),
                      "kept beside the pair")("npt", "translate neutrally to checksums (RFC 6296)");
}

void explain_options(options::options_description& own) {
    own.add_options()("json,j", "print JSON");
}

int run_sync(const Operands& operands, const Values& values, Progress& progress) {
    Kernel there = kernel(progress);
    return sync(there, file_of(operands), engine_of(values), values.count("force") != 0, progress, std::cout);
}

int run_check(const Operands& operands, const Values&, Progress& progress) {
    return check(file_of(operands), progress, std::cout);
}

int run_diff(const Operands& operands, const Values& values, Progress& progress) {
    Kernel there = kernel(progress);
    return diff(there, file_of(operands), engine_of(values), values.count("exit-code") != 0, progress,
                std::cout);
}

int run_list(const Operands&, const Values& values, Progress& progress) {
    if (values.count("json") && values.count("csv")) {
        throw CannotGoOn{"--json and --csv exclude each other", exit_usage};
    }
    const ListFormat format = values.count("json")  ? ListFormat::json
                              : values.count("csv") ? ListFormat::csv
                                                    : ListFormat::table;
    Kernel there = kernel(progress);
    return list(there, format, std::cout);
}

int run_add(const Operands& operands, const Values& values, Progress& progress) {
    Kernel there = kernel(progress);
    return add(there, config_of(values), operands[0], operands[1], values.count("npt") != 0,
               values["comment"].as<std::string>(), std::cout);
}

int run_del(const Operands& operands, const Values& values, Progress& progress) {
    Kernel there = kernel(progress);
    return del(there, config_of(values), operands[0], std::cout);
}

int run_explain(const Operands& operands, const Values& values, Progress& progress) {
    Kernel there = kernel(progress);
    return explain(there, operands[0], values.count("json") != 0, std::cout);
}

int run_status(const Operands&, const Values&, Progress& progress) {
    Kernel there = kernel(progress);
    return status(there, std::cout);
}

int run_clear(const Operands&, const Values&, Progress& progress) {
    Kernel there = kernel(progress);
    return clear(there, std::cout);
}

int run_save(const Operands& operands, const Values&, Progress&) {
    return save(operands.empty() ? std::nullopt : std::optional<Path>(operands.front()));
}

constexpr Command commands[] = {
    {"sync", "[FILE]", 0, 1, "make the kernel equal the configuration", sync_options, run_sync},
    {"check", "FILE", 1, 1, "read a configuration and say what is wrong with it", no_options, run_check},
    {"diff", "[FILE]", 0, 1, "show what sync would do", diff_options, run_diff, Output::data},
    {"list", "", 0, 0, "show the kernel's pairs with their traffic", list_options, run_list, Output::data},
    {"add", "INTERNAL EXTERNAL", 2, 2, "add a pair to the kernel only", add_options, run_add},
    {"del", "ADDRESS", 1, 1, "delete the pair of an address from the kernel only", config_option, run_del},
    {"explain", "ADDRESS", 1, 1, "show what the kernel makes of an address, and by which pair", explain_options,
     run_explain, Output::data},
    {"status", "", 0, 0, "show the engine, the rules and what they lack", no_options, run_status, Output::data},
    {"clear", "", 0, 0, "delete everything that this tool has made in the kernel", no_options, run_clear},
    {"nft", "[ARGUMENT...]", 0, 0, "be nft(8) with one more statement, snat_stateless", no_options, nullptr, Output::data,
     nft},
    {"save", "[FILE]", 0, 1, "write the kernel's whole ruleset as a file for boot", no_options, run_save, Output::data},
};

// A file that is opened later must not become what errors are written to. What is put in the place of a closed one cannot
// be used either, so that nothing seems to be written.
void occupy_standard_descriptors() {
    for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
        if (::fcntl(descriptor, F_GETFD) < 0) {
            ::open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY);  // takes the lowest, this one
        }
    }
}

const Command& find_command(const std::string& name) {
    for (const Command& command : commands) {
        if (command.name == name) {
            return command;
        }
    }
    throw CannotGoOn{"there is no command \"" + name + "\" (see " + std::string(program) + " --help)", exit_usage};
}

options::options_description general_options() {
    options::options_description general("Options");
    general.add_options()("help,h", "show this help")("version,V", "show the version")(
        "verbose,v", "log each netlink message by name")("quiet,q", "say nothing but errors");
    return general;
}

void print_help() {
    std::cout << "Usage: " << program << " [OPTION...] COMMAND [ARGUMENT...]\n\n"
              << "Static, stateless, two-way NAT of address pairs.\n\nCommands:\n";
    for (const Command& command : commands) {
        const std::string form = std::string(command.name) + " " + std::string(command.operands);
        std::cout << "  " << std::left << std::setw(24) << form << command.purpose << '\n';
    }
    std::cout << '\n'
              << general_options() << "\nThe configuration is " << default_configuration
              << " unless a FILE is given. Manual: statnat-nft(8).\n";
}

void print_help(const Command& command, const options::options_description& own) {
    std::cout << "Usage: " << program << " " << command.name << " [OPTION...]" << (command.operands.empty() ? "" : " ")
              << command.operands << "\n\nTo " << command.purpose << ".\n";
    if (!own.options().empty()) {
        std::cout << '\n' << own;
    }
    std::cout << '\n' << general_options();
}

// Applies to words before the command and after it alike.
void apply_general(const Values& values, const Command& command) {
    if (values.count("quiet")) {
        spdlog::set_level(spdlog::level::err);
        if (command.output == Output::message) {
            std::cout.rdbuf(nullptr);  // what is written from here on goes nowhere
        }
    }
    if (values.count("verbose")) {
        spdlog::set_level(spdlog::level::debug);
    }
}

// What has no value means the same when it is given twice.
options::parsed_options once(options::parsed_options parsed) {
    std::set<std::string> seen;
    std::erase_if(parsed.options, [&](const options::option& option) {
        return option.value.empty() && !seen.insert(option.string_key).second;
    });
    return parsed;
}

// The kernel hands over what stands after "#!/usr/sbin/statnat-nft" as one word; no first word of ours has blanks.
std::vector<std::string> words_of(std::vector<std::string> arguments) {
    if (!arguments.empty()) {
        std::istringstream first(arguments.front());
        arguments.erase(arguments.begin());
        arguments.insert(arguments.begin(), std::istream_iterator<std::string>(first), {});
    }
    return arguments;
}

int run_words(const Command& command, const Values& before, std::vector<std::string> words) {
    if (before.count("quiet")) {
        throw CannotGoOn{std::string(command.name) + " prints what was asked for and errors, so there is nothing to be quiet "
                         "about: leave --quiet out", exit_usage};
    }
    apply_general(before, command);
    return command.run_words(std::move(words));
}

// By somebody at a terminal, who has not asked for silence, nor for messages that would come in between.
bool watched(const Values& before, const Values& after) {
    const auto has = [&](const char* option) { return before.count(option) || after.count(option); };
    return ::isatty(STDERR_FILENO) && !has("quiet") && !has("verbose");
}

// What could not be written down has not been said.
int finish(int status) {
    if (std::cout.rdbuf() && !std::cout.flush()) {
        throw CannotGoOn{"cannot write the output"};
    }
    return status;
}

int run(const std::vector<std::string>& arguments) {
    auto first_word = arguments.begin();
    while (first_word != arguments.end() && first_word->starts_with("-")) {
        ++first_word;
    }
    const options::options_description general = general_options();
    Values before;
    options::store(once(options::command_line_parser({arguments.begin(), first_word}).options(general).run()), before);
    if (before.count("version")) {
        std::cout << program << " " << STATNAT_VERSION << '\n';
        return finish(exit_done);
    }
    if (before.count("help")) {
        print_help();
        return finish(exit_done);
    }
    if (first_word == arguments.end()) {
        throw CannotGoOn{"a command is missing (see " + std::string(program) + " --help)", exit_usage};
    }

    const Command& command = find_command(*first_word);
    if (command.run_words) {
        return run_words(command, before, {first_word, arguments.end()});
    }
    options::options_description own("Options of this command");
    command.declare(own);
    options::options_description all;
    all.add(general).add(own);
    all.add_options()("operand", options::value<Operands>()->default_value({}, ""));
    options::positional_options_description positions;
    positions.add("operand", -1);
    Values values;
    const Operands words(first_word + 1, arguments.end());
    options::store(once(options::command_line_parser(words).options(all).positional(positions).run()), values);
    apply_general(before, command);
    apply_general(values, command);
    if (values.count("help")) {
        print_help(command, own);
        return finish(exit_done);
    }
    const auto& operands = values["operand"].as<Operands>();
    if (operands.size() < command.least || operands.size() > command.most) {
        throw CannotGoOn{std::string(command.name) + " takes " +
                             (command.operands.empty() ? "no arguments" : std::string(command.operands)) + " (see " +
                             std::string(program) + " " + std::string(command.name) + " --help)",
                         exit_usage};
    }
    Progress progress(watched(before, values) ? STDERR_FILENO : -1);
    return finish(command.run(operands, values, progress));
}

// Nobody reads more, and a terminal takes minutes for what a file of another kind brings.
void print(const InvalidConfiguration& invalid) {
    constexpr std::size_t most = 100;
    const std::size_t count = invalid.errors.size();
    for (std::size_t i = 0; i < std::min(count, most); ++i) {
        std::cerr << printable(invalid.errors[i].text()) << '\n';
    }
    if (count > most) {
        std::cerr << program << ": and " << grouped(count - most) << " more errors\n";
    }
}

}  // namespace

int main(int argc, char** argv) {
    occupy_standard_descriptors();
    spdlog::set_default_logger(spdlog::stderr_logger_st(std::string(program)));
    spdlog::set_pattern("%n: %l: %v");
    try {
        return run(words_of({argv + 1, argv + argc}));
    } catch (const CannotGoOn& error) {
        spdlog::error("{}", printable(error.sentence, "\n"));
        return error.status;
    } catch (const InvalidConfiguration& invalid) {
        print(invalid);
        return exit_usage;
    } catch (const options::error& error) {
        spdlog::error("{} (see {} --help)", error.what(), program);
        return exit_usage;
    } catch (const std::bad_alloc&) {
        spdlog::error("out of memory");
        return exit_refused;
    } catch (const std::exception& error) {
        spdlog::error("internal error, please report it: {}", error.what());
        return exit_refused;
    }
}
