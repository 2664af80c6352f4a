// SPDX-License-Identifier: GPL-2.0-or-later
// The command line, and the one place where errors end.
#include "program/command_table.hpp"
#include "config/configuration.hpp"
#include "error.hpp"
#include "journal_sink.hpp"
#include "printable.hpp"
#include "quantity.hpp"
#include "reports/paint.hpp"
#include "version.hpp"

#include <algorithm>
#include <array>
#include <exception>
#include <iomanip>
#include <iostream>
#include <iterator>
#include <memory>
#include <new>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/program_options.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/cfg/env.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <fcntl.h>
#include <unistd.h>

namespace {

using namespace statnat;

// A file that is opened later must not become what errors are written to. What is put in the place of a closed one
// cannot be used either, so that nothing seems to be written.
void occupy_standard_descriptors() {
    for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
        if (::fcntl(descriptor, F_GETFD) < 0) {
            ::open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY);  // takes the lowest, this one
        }
    }
}

options::options_description general_options() {
    options::options_description general("Options");
    general.add_options()("help,h", "show this help")("version,V", "show the version")(
        "verbose,v", "log each netlink message by name")("quiet,q", "say nothing but errors")(
        "log-level", options::value<std::string>()->value_name("debug|info|warning|error|off"),
        "what is said beside what is asked for")(
        "instance", options::value<std::string>()->value_name("NAME"),
        "the gateway of /etc/statnat/NAME.toml, which has tables of its own");
    return general;
}

options::options_description own_options(const Command& command) {
    options::options_description own("Options of this command");
    command.declare(own);
    return own;
}

void print_help() {
    std::cout << "Usage: " << program << " [OPTION...] COMMAND [ARGUMENT...]\n\n"
              << "Static, stateless, two-way NAT of address pairs.\n\nCommands:\n";
    for (const Command& command : all_commands()) {
        const std::string form = std::string(command.name) + " " + std::string(command.operands);
        std::cout << "  " << std::left << std::setw(24) << form << command.purpose << '\n';
    }
    std::cout << '\n'
              << general_options() << "\nThe configuration is " << default_configuration
              << " unless a FILE is given.\nManual: statnat-nft(8), statnat.toml(5), snat_stateless(7).\n";
}

void print_help(const Command& command, const options::options_description& own) {
    std::cout << "Usage: " << program << " " << command.name << " [OPTION...]" << (command.operands.empty() ? "" : " ")
              << command.operands << "\n\nTo " << command.purpose << ".\n";
    if (!own.options().empty()) {
        std::cout << '\n' << own;
    }
    std::cout << '\n' << general_options();
}

void set_log_level(const std::string& text) {
    constexpr std::array<std::string_view, 5> legal{"debug", "info", "warning", "error", "off"};
    if (std::find(legal.begin(), legal.end(), text) == legal.end()) {
        throw CannotGoOn{fmt::format("--log-level is {}: legal are {}", in_quotes(text), fmt::join(legal, ", ")),
                         exit_usage};
    }
    spdlog::set_level(spdlog::level::from_str(text));
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
    if (values.count("log-level")) {
        set_log_level(values["log-level"].as<std::string>());
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

// Where a report goes to a terminal it does so at once, in colours; what was written before an error, too.
class Painting {
public:
    explicit Painting(const Command& command)
        : terminal_(command.output == Output::report && wants_colours(STDOUT_FILENO) ? std::cout.rdbuf(text_.rdbuf())
                                                                                     : nullptr) {}
    ~Painting() {
        if (terminal_) {
            std::cout.rdbuf(terminal_);
            std::cout << painted(text_.str());
        }
    }
    Painting(const Painting&) = delete;
    Painting& operator=(const Painting&) = delete;

private:
    std::ostringstream text_;
    std::streambuf* terminal_;  // null: no colours
};

int run_words(const Command& command, const Values& before, std::vector<std::string> words) {
    if (before.count("quiet")) {
        throw CannotGoOn{fmt::format("{} prints what was asked for and errors, so there is nothing to be quiet about: "
                                     "leave --quiet out",
                                     command.name),
                         exit_usage};
    }
    if (before.count("instance")) {
        throw CannotGoOn{fmt::format("{} shows the tables of all: leave --instance out", command.name), exit_usage};
    }
    apply_general(before, command);
    return command.run_words(std::move(words));
}

// By somebody at a terminal, who has not asked for silence, nor perhaps for messages that would come in between.
bool watched(const Values& before, const Values& after) {
    const auto has = [&](const char* option) { return before.count(option) || after.count(option); };
    return ::isatty(STDERR_FILENO) && !has("quiet") && !has("verbose") && !has("log-level");
}

// What could not be written down has not been said.
int finish(int status) {
    if (std::cout.rdbuf() && !std::cout.flush()) {
        throw CannotGoOn{"cannot write the output"};
    }
    return status;
}

// What comes before a command.
struct Beginning {
    Values values;
    std::vector<std::string> words;  // from the command on
};

Beginning begin(const std::vector<std::string>& arguments) {
    const auto has_value = [](const std::string& word) { return word == "--log-level" || word == "--instance"; };
    auto first_word = arguments.begin();
    while (first_word != arguments.end() && first_word->starts_with("-")) {
        first_word += has_value(*first_word) && first_word + 1 != arguments.end() ? 2 : 1;
    }
    const options::options_description general = general_options();
    Beginning beginning{{}, {first_word, arguments.end()}};
    options::store(once(options::command_line_parser({arguments.begin(), first_word}).options(general).run()),
                   beginning.values);
    return beginning;
}

// What is asked of a command is what its --help prints, and of none what --help alone does.
int help(const Operands& names) {
    if (names.empty()) {
        print_help();
        return exit_done;
    }
    const Command& command = find_command(names.front());
    if (command.run_words) {
        return command.run_words({std::string(command.name), "--help"});
    }
    print_help(command, own_options(command));
    return exit_done;
}

// With options of its own and operands.
int run_command(const Command& command, const Values& before, const std::vector<std::string>& words) {
    const options::options_description own = own_options(command);
    options::options_description all;
    all.add(general_options()).add(own);
    all.add_options()("operand", options::value<Operands>()->default_value({}, ""));
    options::positional_options_description positions;
    positions.add("operand", -1);
    Values values;
    options::store(once(options::command_line_parser(words).options(all).positional(positions).run()), values);
    values.insert(before.begin(), before.end());  // but what stands behind the command comes first
    apply_general(values, command);
    if (JournalSink* const journal = journal_sink(); journal && values.count("instance")) {
        journal->always("STATNAT_INSTANCE", values["instance"].as<std::string>());
    }
    if (values.count("help")) {
        print_help(command, own);
        return exit_done;
    }
    const auto& operands = values["operand"].as<Operands>();
    if (operands.size() < command.least || operands.size() > command.most) {
        throw CannotGoOn{fmt::format("{0} takes {1} (see {2} {0} --help)", command.name,
                                     command.operands.empty() ? "no arguments" : command.operands, program),
                         exit_usage};
    }
    if (!command.run) {
        return help(operands);
    }
    Progress progress(watched(before, values) ? STDERR_FILENO : -1);
    const Painting painting(command);
    return command.run(operands, values, progress);
}

int run(const std::vector<std::string>& arguments) {
    const auto [before, words] = begin(arguments);
    if (before.count("version")) {
        std::cout << program << " " << version << '\n';
        return finish(exit_done);
    }
    if (before.count("help")) {
        print_help();
        return finish(exit_done);
    }
    if (words.empty()) {
        throw CannotGoOn{fmt::format("a command is missing (see {} --help)", program), exit_usage};
    }
    const Command& command = find_command(words.front());
    if (JournalSink* const journal = journal_sink()) {
        journal->always("STATNAT_COMMAND", std::string(command.name));
    }
    if (command.run_words) {
        return run_words(command, before, words);
    }
    return finish(run_command(command, before, {words.begin() + 1, words.end()}));
}

void print_line(const std::string& line, const Fields& fields) {
    if (const JournalSink* const journal = journal_sink()) {
        journal->write(spdlog::level::err, line, fields);
    } else {
        std::cerr << line << '\n';
    }
}

// Nobody reads more, and a terminal takes minutes for what a file of another kind brings.
void print(const InvalidConfiguration& invalid) {
    constexpr std::size_t most = 100;
    const std::size_t count = invalid.errors.size();
    for (std::size_t i = 0; i < std::min(count, most); ++i) {
        const ConfigurationError& error = invalid.errors[i];
        print_line(printable(error.text()),
                   {{"STATNAT_FILE", error.file.string()}, {"STATNAT_LINE", std::to_string(error.line)}});
    }
    if (count > most) {
        print_line(fmt::format("{}: and {} more errors", program, grouped(count - most)), {});
    }
}

}  // namespace

int main(int argc, char** argv) {
    occupy_standard_descriptors();
    const std::string name(program);
    spdlog::set_default_logger(Journal::is_behind(STDERR_FILENO)
                                   ? std::make_shared<spdlog::logger>(name, std::make_shared<JournalSink>(name))
                                   : spdlog::stderr_logger_st(name));
    spdlog::set_pattern("%n: %l: %v");
    spdlog::cfg::load_env_levels();  // SPDLOG_LEVEL
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
