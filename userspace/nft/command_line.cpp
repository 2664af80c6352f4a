// SPDX-License-Identifier: GPL-2.0-or-later
// Options and messages are those of nft(8), so that whoever knows or calls it finds nothing new.
#include "nft/command_line.hpp"

#include "error.hpp"
#include "nft/rehearsal.hpp"
#include "nft/session.hpp"
#include "nft/version.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <sstream>
#include <string_view>
#include <utility>

#include <getopt.h>
#include <nftables/libnftables.h>
#include <unistd.h>

namespace statnat {

namespace {

constexpr int done = 0;
constexpr int failed = 1;

struct Option {
    char letter;
    const char* name;  // null: none
    bool argument = false;
    unsigned int output = 0;  // what it switches on in listings
};

constexpr std::array options{
    Option{'h', "help"},
    Option{'v', "version"},
    Option{'V', nullptr},
    Option{'f', "file", true},
    Option{'D', "define", true},
    Option{'i', "interactive"},
    Option{'I', "includepath", true},
    Option{'c', "check"},
    Option{'o', "optimize"},
    Option{'a', "handle", false, NFT_CTX_OUTPUT_HANDLE},
    Option{'s', "stateless", false, NFT_CTX_OUTPUT_STATELESS},
    Option{'t', "terse", false, NFT_CTX_OUTPUT_TERSE},
    Option{'S', "service", false, NFT_CTX_OUTPUT_SERVICE},
    Option{'N', "reversedns", false, NFT_CTX_OUTPUT_REVERSEDNS},
    Option{'u', "guid", false, NFT_CTX_OUTPUT_GUID},
    Option{'n', "numeric", false, NFT_CTX_OUTPUT_NUMERIC_ALL},
    Option{'y', "numeric-priority", false, NFT_CTX_OUTPUT_NUMERIC_PRIO},
    Option{'p', "numeric-protocol", false, NFT_CTX_OUTPUT_NUMERIC_PROTO},
    Option{'T', "numeric-time", false, NFT_CTX_OUTPUT_NUMERIC_TIME},
    Option{'e', "echo", false, NFT_CTX_OUTPUT_ECHO},
    Option{'j', "json", false, NFT_CTX_OUTPUT_JSON},
    Option{'d', "debug", true},
};

constexpr std::array<std::pair<std::string_view, unsigned int>, 8> debug_levels{{{"scanner", NFT_DEBUG_SCANNER},
                                                                                 {"parser", NFT_DEBUG_PARSER},
                                                                                 {"eval", NFT_DEBUG_EVALUATION},
                                                                                 {"netlink", NFT_DEBUG_NETLINK},
                                                                                 {"mnl", NFT_DEBUG_MNL},
                                                                                 {"proto-ctx", NFT_DEBUG_PROTO_CTX},
                                                                                 {"segtree", NFT_DEBUG_SEGTREE},
                                                                                 {"all", ~0U}}};

void write_to(std::FILE* file, std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), file);
    std::fflush(file);
}

void say(const std::string& sentence) {
    write_to(stderr, sentence + "\n");
}

int refuse(const std::string& sentence) {
    say((like_nft_1_1 ? "Error: " : "") + sentence);
    return failed;
}

// Each nft in PATH, in its order.
std::vector<std::string> nfts_in_path() {
    const char* const path = std::getenv("PATH");
    std::istringstream folders(path ? path : "/usr/sbin:/usr/bin:/sbin:/bin");
    std::vector<std::string> found;
    for (std::string folder; std::getline(folders, folder, ':');) {
        std::string file = (folder.empty() ? "." : folder) + "/nft";
        if (::access(file.c_str(), X_OK) == 0) {
            found.push_back(std::move(file));
        }
    }
    return found;
}

// Only nft itself knows its version and its help. What is called so may be a wrapper around this program, which then
// comes by here again: the next one is asked.
int ask_stock_nft(std::vector<std::string>& words) {
    constexpr const char* variable = "STATNAT_NFT_ASKED";
    const char* const asked_before = std::getenv(variable);
    std::size_t asked = asked_before ? std::strtoul(asked_before, nullptr, 10) : 0;
    std::vector<char*> arguments;
    for (std::string& word : words) {
        arguments.push_back(word.data());
    }
    arguments.push_back(nullptr);
    const std::vector<std::string> nfts = nfts_in_path();
    while (asked < nfts.size()) {
        const std::string& file = nfts[asked++];
        ::setenv(variable, std::to_string(asked).c_str(), 1);
        ::execv(file.c_str(), arguments.data());
    }
    say("there is no nft here that could tell: see statnat-nft(8), and nft(8) of the package nftables");
    return failed;
}

// nft takes no options after its commands, and a brace begins a command.
bool options_come_first(const std::vector<std::string>& words) {
    constexpr std::array<std::string_view, 4> with_argument{"--debug", "--includepath", "--define", "--file"};
    bool command_began = false;
    bool is_argument = false;
    std::size_t position = 0;
    for (std::size_t index = 1; index < words.size(); ++index) {
        const std::string& word = words[index];
        position += words[index - 1].size() + 1;
        if (word.starts_with("{")) {
            return true;
        }
        if (std::exchange(is_argument, false)) {
            continue;
        }
        if (!word.starts_with("-")) {
            command_began = true;
        } else if (command_began) {
            say("Error: syntax error, options must be specified before commands");
            std::string line;
            for (const std::string& shown : words) {
                line += shown + " ";
            }
            write_to(stderr, line);
            std::printf("\n%4c%*s\n", '^', static_cast<int>(position) - 2, "~~");
            return false;
        } else {
            is_argument = std::string_view("dIfD").find(word[1]) != std::string_view::npos && word.size() > 1;
            for (const std::string_view name : with_argument) {
                is_argument = is_argument || word == name;
            }
        }
    }
    return true;
}

// Adds levels to the context's, and returns the first that is none; that may be an empty one.
std::optional<std::string> add_debug_levels(nft_ctx* context, std::string_view names) {
    unsigned int levels = nft_ctx_output_get_debug(context);
    while (true) {
        const std::string_view name = names.substr(0, names.find(','));
        bool known = false;
        for (const auto& [level_name, level] : debug_levels) {
            if (level_name == name) {
                known = true;
                levels |= level;
            }
        }
        if (!known) {
            return std::string(name);
        }
        if (name.size() == names.size()) {
            nft_ctx_output_set_debug(context, levels);
            return std::nullopt;
        }
        names.remove_prefix(name.size() + 1);
    }
}

// Whether nft goes on without a folder that is not there.
bool pass_include_path(const std::string& path) {
    say(like_nft_1_1 ? "Warning: Cannot include path '" + path + "'" : "Failed to add include path '" + path + "'");
    return like_nft_1_1;
}

struct Request {
    std::string file;
    bool has_file = false;
    bool has_definitions = false;
    bool interactive = false;
    std::string commands;
    bool has_commands = false;
};

struct GetoptTables {
    std::string letters = "+";  // stop at the first word that is no option
    std::vector<option> long_options;

    GetoptTables() {
        for (const Option& known : options) {
            letters += known.letter;
            letters += known.argument ? ":" : "";
            if (known.name) {
                long_options.push_back({known.name, known.argument ? required_argument : no_argument, nullptr,
                                        known.letter});
            }
        }
        long_options.push_back({});
    }
};

unsigned int output_of(int letter) {
    unsigned int output = 0;
    for (const Option& known : options) {
        output |= known.letter == letter ? known.output : 0;
    }
    return output;
}

// The exit status where everything is said already.
std::optional<int> apply(int letter, const char* argument, nft_ctx* context, Request& request) {
    switch (letter) {
    case 'D':
        if (nft_ctx_add_var(context, argument) != 0) {
            return refuse("Failed to define variable '" + std::string(argument) + "'");
        }
        request.has_definitions = true;
        break;
    case 'I':
        if (nft_ctx_add_include_path(context, argument) != 0 && !pass_include_path(argument)) {
            return failed;
        }
        break;
    case 'd':
        if (const auto unknown = add_debug_levels(context, argument)) {
            return refuse("invalid debug parameter `" + *unknown + "'");
        }
        break;
    case 'f':
        request.file = argument;
        request.has_file = true;
        break;
    case 'i': request.interactive = true; break;
    case 'c': nft_ctx_set_dry_run(context, true); break;
    case 'o': nft_ctx_set_optimize(context, 1); break;
    case '?': return failed;
    default: break;
    }
    if (like_nft_1_1 && request.has_file && request.interactive) {
        return refuse("-i/--interactive and -f/--file options cannot be combined");
    }
    return {};
}

// As apply().
std::optional<int> read_options(std::vector<std::string>& words, nft_ctx* context, Request& request) {
    const GetoptTables tables;
    std::vector<char*> arguments;
    for (std::string& word : words) {
        arguments.push_back(word.data());
    }
    const int count = static_cast<int>(arguments.size());
    arguments.push_back(nullptr);
    unsigned int output = 0;
    ::optind = 1;
    int letter = 0;
    while ((letter = ::getopt_long(count, arguments.data(), tables.letters.c_str(), tables.long_options.data(),
                                   nullptr)) != -1) {
        if (letter == 'h' || letter == 'v' || letter == 'V') {
            return ask_stock_nft(words);
        }
        output |= output_of(letter);
        if (const auto status = apply(letter, ::optarg, context, request)) {
            return status;
        }
    }
    nft_ctx_output_set_flags(context, output);
    request.has_commands = ::optind < count;
    for (int index = ::optind; index < count; ++index) {
        request.commands += (index == ::optind ? "" : " ") + words[static_cast<std::size_t>(index)];
    }
    return {};
}

// Line by line, without the history and editing that nft links a library for.
int converse(Session& session) {
    const bool prompt = ::isatty(STDIN_FILENO) == 1;
    const auto ask = [&](const char* with) { write_to(stdout, prompt ? with : ""); };
    std::string command;
    std::string line;
    for (ask("nft> "); std::getline(std::cin, line); ask(command.empty() ? "nft> " : ".... ")) {
        if (line.ends_with("\\")) {
            command += line.substr(0, line.size() - 1);
            continue;
        }
        command += line;
        if (command == "quit") {
            return done;
        }
        if (command.find_first_not_of(" \t") != std::string::npos) {
            session.run(command);
        }
        command.clear();
    }
    ask("\n");
    return done;
}

int run(std::vector<std::string> words) {
    if (!options_come_first(words)) {
        return failed;
    }
    Session session([](std::string_view text) { write_to(stdout, text); },
                    [](std::string_view text) { write_to(stderr, text); });
    Request request;
    if (const auto status = read_options(words, session.context(), request)) {
        return *status;
    }
    if (!request.has_file && request.has_definitions) {
        say("Error: -D/--define can only be used with -f/--filename");
        return failed;
    }
    if (!request.has_commands && !request.has_file && !request.interactive) {
        say(words.front() + ": no command specified");
        return failed;
    }
    const bool json = nft_ctx_output_get_flags(session.context()) & NFT_CTX_OUTPUT_JSON;
    rehearse(json ? Notation::json : Notation::text);
    if (request.has_commands) {
        return session.run(request.commands) == 0 ? done : failed;
    }
    if (request.has_file) {
        return session.run_file(request.file) == 0 ? done : failed;
    }
    return converse(session);
}

}  // namespace

int nft(std::vector<std::string> words) {
    const int status = run(std::move(words));
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
        throw CannotGoOn{"cannot write the output"};
    }
    return status;
}

}  // namespace statnat
