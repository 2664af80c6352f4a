// SPDX-License-Identifier: GPL-2.0-or-later
// What MUTANT() is in the tool: whether STATNAT_MUTANT in the environment names it. Whoever comes by is noted in the
// file that STATNAT_REACHED names, with the test that the environment names.
#pragma once

#ifdef __cplusplus
#include <cstddef>
#include <cstdlib>

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

namespace statnat_mutants {

inline void note(int number) {
    static bool noted[10000];
    static const char* const file = std::getenv("STATNAT_REACHED");
    if (!file || noted[number]) {
        return;
    }
    noted[number] = true;
    const char* const test = std::getenv("PYTEST_CURRENT_TEST");
    char line[1024];
    const int length = snprintf(line, sizeof line, "%d\t%.900s\n", number, test ? test : "");
    const int descriptor = open(file, O_WRONLY | O_APPEND | O_CLOEXEC);
    if (descriptor >= 0) {
        (void)!write(descriptor, line, static_cast<std::size_t>(length));
        close(descriptor);
    }
}

inline bool chosen(int number) {
    static const char* const name = std::getenv("STATNAT_MUTANT");
    static const int mutant = name ? std::atoi(name) : 0;
    note(number);
    return number == mutant;
}

constexpr bool is(int number) {
    return !__builtin_is_constant_evaluated() && chosen(number);
}

}  // namespace statnat_mutants

// For the module's sources, which unit tests compile as C.
extern "C" __attribute__((used)) inline int statnat_mutant_is(int number) {
    return statnat_mutants::chosen(number);
}

#define MUTANT(number) (statnat_mutants::is(number))
#else
int statnat_mutant_is(int number);
#define MUTANT(number) (statnat_mutant_is(number))
#endif
