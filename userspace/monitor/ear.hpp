// SPDX-License-Identifier: GPL-2.0-or-later
// Hears transactions one after the other, and notices where one was not heard.
#pragma once

#include "monitor/transaction.hpp"
#include "netlink/socket.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace statnat {

class Ear {
public:
    Ear(std::unique_ptr<Socket> socket, std::string table);

    using Visit = std::function<void(const Transaction&)>;

    // Hears what there is, and from then on all from the present generation on, which `ask` tells; of an earlier one
    // the end may be heard once more.
    void begin(const std::function<std::uint32_t()>& ask, const Visit& visit);

    // What there is.
    void hear_all(const Visit& visit);
    // The same, once there is something, or after so long.
    void hear_next(std::chrono::milliseconds most, const Visit& visit);
    // All until that generation, which the kernel has told already, and perhaps more; or until something is lost.
    void hear_up_to(std::uint32_t generation, const Visit& visit);

    // Not all was heard, for want of room: it must begin anew.
    bool has_lost() const { return lost_; }

    int descriptor() const { return socket_->descriptor(); }

private:
    bool hear(bool wait, const Visit& visit);

    std::unique_ptr<Socket> socket_;
    Bytes buffer_;
    TransactionReader reader_;
    std::uint32_t generation_ = 0;  // as far as it has heard
    bool lost_ = false;
};

}  // namespace statnat
