// SPDX-License-Identifier: GPL-2.0-or-later
#include "live/screen.hpp"

#include "error.hpp"

#include <algorithm>
#include <clocale>
#include <cstdlib>

#include <fmt/format.h>
#include <ncurses.h>
#include <unistd.h>

namespace statnat {

Screen::Screen() {
    if (!::isatty(STDIN_FILENO) || !::isatty(STDOUT_FILENO)) {
        throw CannotGoOn{"this draws on a terminal, and standard input or output is none: list prints what pairs have "
                         "counted",
                         exit_usage};
    }
    std::setlocale(LC_CTYPE, "C.UTF-8");  // as all that this tool writes
    if (!newterm(nullptr, stdout, stdin)) {
        const char* name = std::getenv("TERM");
        throw CannotGoOn{fmt::format("nobody knows how to draw on a terminal of the kind \"{}\": set TERM, or install "
                                     "ncurses-term",
                                     name ? name : ""),
                         exit_usage};
    }
    cbreak();
    noecho();
    curs_set(0);
    keypad(stdscr, TRUE);
    nodelay(stdscr, TRUE);
}

Screen::~Screen() {
    endwin();
}

std::size_t Screen::lines() const {
    return static_cast<std::size_t>(std::max(LINES, 1));
}

void Screen::draw(const std::vector<std::string>& lines, std::size_t title) {
    erase();
    for (std::size_t line = 0; line < std::min(lines.size(), this->lines()); ++line) {
        attrset(line == title ? A_REVERSE : A_NORMAL);
        mvaddnstr(static_cast<int>(line), 0, lines[line].c_str(), -1);
    }
    attrset(A_NORMAL);
    refresh();
}

Screen::Typed Screen::typed() {
    Typed typed = Typed::nothing;
    for (int key = getch(); key != ERR; key = getch()) {
        if (key == 'q' || key == 'Q') {
            return Typed::quit;
        }
        typed = key == KEY_RESIZE ? Typed::resized : typed;
    }
    return typed;
}

}  // namespace statnat
