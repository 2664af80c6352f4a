// SPDX-License-Identifier: GPL-2.0-or-later
// One line of CSV (RFC 4180), in fields that know where they stand.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct csv_parser;

namespace statnat {

struct CsvField {
    std::string text;  // without blanks around it, unless quoted
    std::size_t offset = 0;  // of its first character in the line, or of its quotation mark
    bool quoted = false;
};

class CsvLine {
public:
    explicit CsvLine(char separator = ',') : separator_(separator) {}

    // The fields of a line that has no end of line in it; nothing where a quotation mark is not where one can be.
    std::optional<std::vector<CsvField>> split(std::string_view line);

private:
    struct Freed {
        void operator()(csv_parser* parser) const;
    };

    void start();

    char separator_;
    std::unique_ptr<csv_parser, Freed> parser_;  // null: not needed yet
};

}  // namespace statnat
