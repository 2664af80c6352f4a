// SPDX-License-Identifier: GPL-2.0-or-later
// A BPF program of the kind that looks at packets on their way into a device or out of it (tc-bpf(8)).
#pragma once

#include <span>

#include <linux/bpf.h>

namespace statnat {

// Whatever uses BPF only where it can be had.
int bpf(bpf_cmd command, bpf_attr& attributes);

class Classifier {
public:
    // errno tells why there is none.
    explicit Classifier(std::span<const bpf_insn> instructions);
    ~Classifier();
    Classifier(const Classifier&) = delete;
    Classifier& operator=(const Classifier&) = delete;

    explicit operator bool() const { return descriptor_ >= 0; }
    int descriptor() const { return descriptor_; }

private:
    int descriptor_;
};

}  // namespace statnat
