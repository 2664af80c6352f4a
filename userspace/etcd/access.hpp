// SPDX-License-Identifier: GPL-2.0-or-later
// How etcd is reached: plain values.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace statnat {

struct EtcdAccess {
    std::vector<std::string> endpoints{};   // "https://10.0.0.1:2379"; the first that answers is asked
    std::filesystem::path ca{};             // whose certificates are believed; empty: those that the system believes
    std::filesystem::path certificate{};    // of this client; empty: none
    std::filesystem::path key{};            // to the certificate
    std::string user{};                     // empty: nobody
    std::filesystem::path password_file{};  // its first line

    bool operator==(const EtcdAccess&) const = default;
};

}  // namespace statnat
