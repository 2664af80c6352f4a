// SPDX-License-Identifier: GPL-2.0-or-later
// Stdio streams for C: one that ends in a function of ours, one that reads a text of ours.
#pragma once

#include <cstdio>
#include <functional>
#include <memory>
#include <string_view>

namespace statnat {

class Stream {
public:
    // `take` gets everything as soon as it is written.
    explicit Stream(std::function<void(std::string_view)> take);

    std::FILE* file() const { return file_.get(); }

private:
    struct Closed {
        void operator()(std::FILE* file) const { std::fclose(file); }
    };

    std::unique_ptr<std::function<void(std::string_view)>> take_;
    std::unique_ptr<std::FILE, Closed> file_;
};

// To be closed by fclose(3), as long as the text is there. fmemopen(3) is much slower.
std::FILE* open_text(std::string_view text);

}  // namespace statnat
