// SPDX-License-Identifier: GPL-2.0-or-later
#include "live/repetition.hpp"

#include "error.hpp"
#include "live/ending.hpp"
#include "live/processor_time.hpp"
#include "live/screen.hpp"

#include <algorithm>
#include <iostream>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include <unistd.h>

namespace statnat {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr Seconds shortest(1);
constexpr double most_of_a_processor = 0.1;

std::vector<std::string> lines_of(const std::string& text) {
    std::istringstream stream(text);
    std::vector<std::string> lines;
    for (std::string line; std::getline(stream, line);) {
        lines.push_back(line);
    }
    return lines;
}

}  // namespace

int repeat(const std::function<int(std::ostream&)>& print) {
    const Ending ending(STDOUT_FILENO);
    std::optional<Screen> screen;
    if (::isatty(STDOUT_FILENO)) {
        screen.emplace();
    }
    for (;;) {
        const Clock::time_point begin = Clock::now();
        const Seconds before = processor_time();
        std::ostringstream text;
        print(text);
        if (!screen && !(std::cout << text.str()).flush()) {
            return exit_done;  // that it cannot be written is said behind all commands
        }
        const std::vector<std::string> lines = screen ? lines_of(text.str()) : std::vector<std::string>();
        const Seconds interval = std::max(shortest, (processor_time() - before) / most_of_a_processor);
        for (auto left = interval; left.count() > 0; left = interval - (Clock::now() - begin)) {
            if (screen) {
                screen->draw(lines, 0);
            }
            if (!ending.wait(screen ? STDIN_FILENO : -1, std::chrono::ceil<milliseconds>(left)) ||
                (screen && screen->typed() == Screen::Typed::quit)) {
                return exit_done;
            }
        }
    }
}

}  // namespace statnat
