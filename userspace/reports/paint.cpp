// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/paint.hpp"

#include <algorithm>
#include <cstdlib>

#include <fmt/format.h>
#include <unistd.h>

namespace statnat {
namespace {

// The colours of a terminal, by their numbers (ECMA-48).
struct Hue {
    std::string_view beginning;
    int number;
    bool whole = true;  // the line; or only how it begins
};

constexpr int bold = 1, red = 31, green = 32, yellow = 33, cyan = 36;

constexpr Hue hues[] = {
    {"+ ", green},           {"- ", red},           {"~ ", yellow},          {"resynchronised ", yellow},
    {"internal ", bold},     {"healthy", green},    {"breaks:", red, false}, {"may break:", yellow, false},
    {"lacks:", yellow, false}, {"note:", cyan, false},
};

std::string painted_line(std::string_view line) {
    const auto* hue =
        std::find_if(std::begin(hues), std::end(hues), [&](const Hue& one) { return line.starts_with(one.beginning); });
    if (hue == std::end(hues)) {
        return std::string(line);
    }
    const std::size_t end = hue->whole ? line.size() : hue->beginning.size();
    return fmt::format("\033[{}m{}\033[0m{}", hue->number, line.substr(0, end), line.substr(end));
}

}  // namespace

bool wants_colours(int descriptor) {
    const char* unwanted = std::getenv("NO_COLOR");
    const char* terminal = std::getenv("TERM");
    return ::isatty(descriptor) && !(unwanted && *unwanted) && terminal && std::string_view(terminal) != "dumb";
}

std::string painted(std::string_view text) {
    std::string painted;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        painted += painted_line(text.substr(0, end));
        painted += text.substr(end, 1);
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return painted;
}

}  // namespace statnat
