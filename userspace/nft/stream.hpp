// SPDX-License-Identifier: GPL-2.0-or-later
// A stdio stream for C that ends in a function of ours.
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

}  // namespace statnat
