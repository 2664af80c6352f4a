// SPDX-License-Identifier: GPL-2.0-or-later
#include "fence/record.hpp"

#include <string_view>

namespace statnat {

namespace {

constexpr std::string_view changed_word = "changed src_valid_mark";
constexpr std::string_view held_word = "made clsact on ";
constexpr std::string_view external_word = "filters what leaves by ";

}  // namespace

std::optional<FenceRecord> recall_fence(const RunFile& file) {
    auto opened = file.open();
    if (!opened) {
        return std::nullopt;
    }
    FenceRecord record;
    for (std::string line; std::getline(opened->rest, line);) {
        if (line == changed_word) {
            record.changed_setting = true;
        } else if (line.starts_with(held_word)) {
            record.held.insert(line.substr(held_word.size()));
        } else if (line.starts_with(external_word)) {
            record.external.push_back(line.substr(external_word.size()));
        } else {
            record.lines.insert(line);
        }
    }
    return record;
}

void keep(const FenceRecord& record, const Fence& fence, const RunFile& file) {
    if (fence.empty()) {
        file.remove();
        return;
    }
    file.write(0, [&](Replacement& replacement) {
        const auto write = [&](std::string_view word, const std::string& rest) {
            replacement.write(std::string(word) + rest + "\n");
        };
        if (record.changed_setting) {
            write(changed_word, {});
        }
        for (const std::string& interface : record.held) {
            write(held_word, interface);
        }
        for (const std::string& pattern : record.external) {
            write(external_word, pattern);
        }
        for (const std::string& line : lines(fence)) {
            write({}, line);
        }
    });
}

}  // namespace statnat
