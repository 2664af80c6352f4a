// SPDX-License-Identifier: GPL-2.0-or-later
// Hands a frame to the kernel as if it had come in by a device. Nothing is made for that which could be left behind.
#pragma once

#include "wire/message.hpp"

namespace statnat {

class Injection {
public:
    // Into the device of that index. Throws CannotGoOn.
    explicit Injection(int link);
    ~Injection();
    Injection(const Injection&) = delete;
    Injection& operator=(const Injection&) = delete;

    // Throws CannotGoOn.
    void send(Message frame) const;

private:
    int program_;
};

}  // namespace statnat
