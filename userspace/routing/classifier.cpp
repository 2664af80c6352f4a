// SPDX-License-Identifier: GPL-2.0-or-later
#include "routing/classifier.hpp"

#include <cstdint>

#include <sys/syscall.h>
#include <unistd.h>

namespace statnat {

namespace {

std::uint64_t number_of(const void* data) {
    return reinterpret_cast<std::uintptr_t>(data);
}

int load_program(std::span<const bpf_insn> instructions) {
    bpf_attr attributes{};
    attributes.prog_type = BPF_PROG_TYPE_SCHED_CLS;
    attributes.insns = number_of(instructions.data());
    attributes.insn_cnt = static_cast<std::uint32_t>(instructions.size());
    attributes.license = number_of("GPL");
    return bpf(BPF_PROG_LOAD, attributes);
}

}  // namespace

int bpf(bpf_cmd command, bpf_attr& attributes) {
    return static_cast<int>(::syscall(SYS_bpf, command, &attributes, sizeof attributes));
}

Classifier::Classifier(std::span<const bpf_insn> instructions) : descriptor_(load_program(instructions)) {}

Classifier::~Classifier() {
    if (descriptor_ >= 0) {
        ::close(descriptor_);
    }
}

}  // namespace statnat
