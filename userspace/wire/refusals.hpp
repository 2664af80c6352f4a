// SPDX-License-Identifier: GPL-2.0-or-later
// Where an errno becomes a sentence.
#pragma once

#include "wire/encoder.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace statnat {

// What the kernel says against one message.
struct Refusal {
    std::uint32_t sequence = 0;
    int error = 0;  // errno
    std::string text;  // of the extended acknowledgement, if there is one
};

// What the init of our expression means by an errno, in the vocabulary of its uapi header: about a statement of the
// user, or, without one, about a rule of this tool, where the loaded module or the table must be another than it takes
// them for. Nothing for an errno that is none of these.
std::optional<std::string> meaning_of(int error, const SnatStateless* statement = nullptr);

// Why a batch was refused that takes the kernel through `plan`.
std::string sentence(const Refusal& refusal, const Batch& batch, const Plan& plan);

// Whether that is because an element is there already, or is not there, or has no room.
bool is_about_elements(const Refusal& refusal, const Batch& batch, const Plan& plan);

// Why the expression cannot be used, from a probe's refusal. Throws CannotGoOn where that is no matter of the
// expression.
std::string sentence_about_probe(const Refusal& refusal, const Batch& probe);

// Nobody but the kernel can say more about a question that it refuses.
std::string sentence_about_question(const Refusal& refusal);

}  // namespace statnat
