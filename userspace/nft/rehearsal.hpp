// SPDX-License-Identifier: GPL-2.0-or-later
// Before anything is loaded or listed: one rule with our statement goes into libnftables and out of it, and no kernel
// hears of it.
#pragma once

#include "nft/interpose.hpp"

#include <optional>
#include <vector>

#include <linux/netlink.h>

namespace statnat {

enum class Notation { text, json };

// In the kernel's place: refuses each batch but keeps its rules, and lists these and the chain that they are for.
class RehearsalKernel final : public System {
public:
    ssize_t send(int socket, const msghdr& batch) override;
    ssize_t ask(const mnl_socket* socket, Message question) override;
    ssize_t receive(const mnl_socket* socket, std::span<std::uint8_t> buffer) override;

    const std::vector<Bytes>& rules() const { return rules_; }

private:
    Bytes answer(const nlmsghdr& question, std::uint32_t port) const;

    std::vector<Bytes> rules_;
    std::optional<nlmsghdr> question_;
};

// Throws CannotGoOn if this libnftables does not do all of it as it is expected here.
void rehearse(Notation notation);

}  // namespace statnat
