// SPDX-License-Identifier: GPL-2.0-or-later
#include "doctor/legacy.hpp"

#include <bit>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <string>

#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace statnat {
namespace {

// IPT_SO_GET_INFO and IP6T_SO_GET_INFO, what they are asked and what they tell: C++ cannot read the kernel's headers.
constexpr int get_info = 64;
struct TableInfo {
    char name[32];
    std::uint32_t hooks;  // a bit for each
    std::uint32_t entries_of_hooks[5];
    std::uint32_t underflows[5];
    std::uint32_t entries;
    std::uint32_t size;
};

// Beside what every table has: a policy for each hook, and an end.
std::uint32_t rules_of(const std::string& table, Family family) {
    const bool four = family == Family::ipv4;
    const int descriptor = ::socket(four ? AF_INET : AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
    TableInfo info{};
    std::strncpy(info.name, table.c_str(), sizeof info.name - 1);
    socklen_t size = sizeof info;
    const bool told = descriptor >= 0 &&
                      ::getsockopt(descriptor, four ? IPPROTO_IP : IPPROTO_IPV6, get_info, &info, &size) == 0;
    ::close(descriptor);
    const auto always = static_cast<std::uint32_t>(std::popcount(info.hooks)) + 1;
    return told && info.entries > always ? info.entries - always : 0;
}

}  // namespace

Troubles troubles_with_legacy_tables(Family family) {
    Troubles found;
    const std::string suffix = family == Family::ipv4 ? "" : "6";
    std::ifstream names(fmt::format("/proc/self/net/ip{}_tables_names", suffix));
    for (std::string table; names >> table;) {
        if (rules_of(table, family) > 0) {
            found.push_back({fmt::format("rules of ip{0}tables-legacy in its table {1} are not seen: no trace shows "
                                         "what they do with packets of pairs",
                                         suffix, table),
                             fmt::format("ip{0}tables-legacy-save -t {1} | ip{0}tables-nft-restore -n && "
                                         "ip{0}tables-legacy -t {1} -F && ip{0}tables-legacy -t {1} -X",
                                         suffix, table),
                             false});
        }
    }
    return found;
}

}  // namespace statnat
