// SPDX-License-Identifier: GPL-2.0-or-later
// A CSV file of pairs, as people, spreadsheets and `list --csv` write it.
#pragma once

#include "csv/csv_line.hpp"
#include "config/draft.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace statnat {

class PairsFile {
public:
    explicit PairsFile(unsigned number) : number_(number) {}

    // Reads all of it into the draft that has it under this number; can be called again.
    void read(Draft& draft);

private:
    using Fields = std::vector<CsvField>;

    // Where a record has what; a header line may say otherwise.
    struct Columns {
        static constexpr std::size_t none = static_cast<std::size_t>(-1);

        std::size_t internal = 0;
        std::size_t external = 1;
        std::size_t comment = 2;
        std::size_t npt = none;
        std::size_t count = 3;
        bool named = false;

        bool begin_with_both() const { return internal == 0 && external == 1; }
    };

    static std::optional<Columns> header(const Fields& fields);

    void read_lines(std::string_view lines, Draft& draft);
    void read_line(std::string_view line, Draft& draft);
    void read_record(const Fields& fields, std::string_view line, Draft& draft);
    void read_external(const CsvField& field, Entry& entry, Draft& draft) const;
    void read_comment(const Fields& fields, std::string_view line, Entry& entry, Draft& draft) const;
    void read_npt(const CsvField& field, Entry& entry, Draft& draft) const;
    Position at(std::size_t offset) const { return {number_, line_number_, static_cast<unsigned>(offset) + 1}; }

    unsigned number_;
    unsigned line_number_ = 1;
    bool at_first_record_ = true;
    Columns columns_;
    CsvLine csv_;
    std::optional<std::string> text_;  // of what cannot be read twice
};

}  // namespace statnat
