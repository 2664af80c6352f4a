// SPDX-License-Identifier: GPL-2.0-or-later
#include "actual/listeners.hpp"

#include "error.hpp"
#include "quantity.hpp"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <limits>
#include <set>
#include <sstream>
#include <string_view>

#include <fmt/format.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>

namespace statnat {

namespace {

namespace fs = std::filesystem;

// NLMSG_GOODSIZE with what the kernel keeps around it: 8,300 bytes for each of 200,000 elements were seen on 6.18.
constexpr std::uint64_t bytes_of_message = 8'500;

constexpr std::uint32_t group_of_nf_tables = 1U << (NFNLGRP_NFTABLES - 1);

bool is_number(std::string_view name) {
    return !name.empty() && std::all_of(name.begin(), name.end(), [](unsigned char c) { return std::isdigit(c); });
}

std::string name_of_process(const std::string& port) {
    std::string name;
    std::getline(std::ifstream("/proc/" + port + "/comm"), name);
    return name.empty() ? "somebody" : fmt::format("{} (process {})", name, port);
}

// "nft (process 4711)"; nothing: nobody who can be seen. What cannot be looked into is passed over.
std::optional<std::string> find_listener() {
    std::set<fs::path> seen;  // network namespaces
    std::error_code failure;
    fs::directory_iterator process("/proc", failure);
    for (; !failure && process != fs::directory_iterator(); process.increment(failure)) {
        std::error_code ignored;
        const fs::path network = fs::read_symlink(process->path() / "ns/net", ignored);
        if (!is_number(process->path().filename().string()) || ignored || !seen.insert(network).second) {
            continue;
        }
        std::ifstream sockets(process->path() / "net/netlink");
        if (const auto port = listening_port(sockets)) {
            return name_of_process(*port);
        }
    }
    return std::nullopt;
}

// In bytes; as much as can be thought of where it is not told.
std::uint64_t available_memory() {
    std::ifstream memory("/proc/meminfo");
    for (std::string line; std::getline(memory, line);) {
        std::istringstream fields(line);
        std::string name;
        std::uint64_t kilobytes = 0;
        if (fields >> name >> kilobytes && name == "MemAvailable:") {
            return kilobytes * 1024;
        }
    }
    return std::numeric_limits<std::uint64_t>::max();
}

}  // namespace

std::optional<std::string> listening_port(std::istream& sockets) {
    std::string line;
    std::getline(sockets, line);  // names of columns
    while (std::getline(sockets, line)) {
        std::istringstream fields(line);
        std::string socket;
        std::string port;
        int protocol = 0;
        std::uint32_t groups = 0;
        if (fields >> socket >> protocol >> port >> std::hex >> groups && protocol == NETLINK_NETFILTER &&
            (groups & group_of_nf_tables)) {
            return port;
        }
    }
    return std::nullopt;
}

void refuse_without_room(std::size_t elements) {
    const std::uint64_t needed = elements * bytes_of_message;
    const std::uint64_t there = available_memory();
    if (needed <= there / 2) {
        return;
    }
    if (const auto listener = find_listener()) {
        constexpr std::uint64_t megabyte = 1'000'000;
        throw CannotGoOn{fmt::format("{} listens to nf_tables, for which the kernel would need {} MB of memory to "
                                     "change {} elements, and {} MB are available: stop it first",
                                     *listener, grouped(needed / megabyte), grouped(elements),
                                     grouped(there / megabyte))};
    }
}

}  // namespace statnat
