// SPDX-License-Identifier: GPL-2.0-or-later
// By a BPF program of four instructions, attached nowhere: the kernel runs it once on a frame of ours, and it gives a
// copy of that to the device's way in.
#include "doctor/injection.hpp"

#include "error.hpp"

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>

#include <fmt/format.h>

namespace statnat {
namespace {

std::uint64_t as_number(const void* data) {
    return reinterpret_cast<std::uintptr_t>(data);
}

constexpr std::uint8_t set = BPF_ALU64 | BPF_MOV | BPF_K;

// The frame is in register 1 as it begins; what the function returns is what the program does.
std::array<bpf_insn, 4> instructions(int link) {
    return {{
        {.code = set, .dst_reg = BPF_REG_2, .src_reg = 0, .off = 0, .imm = link},
        {.code = set, .dst_reg = BPF_REG_3, .src_reg = 0, .off = 0, .imm = BPF_F_INGRESS},
        {.code = BPF_JMP | BPF_CALL, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = BPF_FUNC_clone_redirect},
        {.code = BPF_JMP | BPF_EXIT, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0},
    }};
}

[[noreturn]] void refused(int error) {
    throw CannotGoOn{fmt::format("no probe can be sent, since the kernel refuses BPF: {}", std::strerror(error))};
}

}  // namespace

Injection::Injection(int link) : program_(instructions(link)) {
    if (!program_) {
        refused(errno);
    }
}

void Injection::send(Message frame) const {
    bpf_attr run{};
    run.test.prog_fd = static_cast<std::uint32_t>(program_.descriptor());
    run.test.data_in = as_number(frame.data());
    run.test.data_size_in = static_cast<std::uint32_t>(frame.size());
    run.test.repeat = 1;
    if (bpf(BPF_PROG_TEST_RUN, run) != 0) {
        refused(errno);
    }
    if (run.test.retval != 0) {  // of clone_redirect
        refused(-static_cast<int>(run.test.retval));
    }
}

}  // namespace statnat
