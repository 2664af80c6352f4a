// SPDX-License-Identifier: GPL-2.0-or-later
// What C reads and writes: a stream that ends in a function of ours, and files that hold a text of ours.
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

// A file without a name that holds the text, at its beginning; a descriptor. libnftables reads regular files only.
// Throws CannotGoOn.
int text_file(std::string_view text);

// The same as a stream. fmemopen(3) is much slower, and no regular file.
std::FILE* open_text(std::string_view text);

}  // namespace statnat
