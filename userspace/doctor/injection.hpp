// SPDX-License-Identifier: GPL-2.0-or-later
// Hands a frame to the kernel as if it had come in by a device. Nothing is made for that which could be left behind.
#pragma once

#include "routing/classifier.hpp"
#include "wire/message.hpp"

namespace statnat {

class Injection {
public:
    // Into the device of that index. Throws CannotGoOn.
    explicit Injection(int link);

    // Throws CannotGoOn.
    void send(Message frame) const;

private:
    Classifier program_;
};

}  // namespace statnat
