// SPDX-License-Identifier: GPL-2.0-or-later
// A terminal that is drawn on as a whole, and is as it was before once this ends.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace statnat {

class Screen {
public:
    // Throws CannotGoOn where standard input or output is no terminal, or one that nobody knows how to draw on.
    Screen();
    ~Screen();
    Screen(const Screen&) = delete;
    Screen& operator=(const Screen&) = delete;

    std::size_t lines() const;

    // Lines of UTF-8, of which one is a title; what does not fit is cut off.
    void draw(const std::vector<std::string>& lines, std::size_t title);

    // What has been typed meanwhile; a terminal of another size counts, too.
    enum class Typed { nothing, quit, resized };
    Typed typed();
};

}  // namespace statnat
