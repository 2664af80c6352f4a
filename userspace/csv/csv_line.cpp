// SPDX-License-Identifier: GPL-2.0-or-later
// Fed to libcsv piece by piece, since its fields do not say where they come from.
#include "csv/csv_line.hpp"

#include <algorithm>
#include <new>

#include <csv.h>

namespace statnat {
namespace {

// A carriage return inside a line ends nothing; the caller has cut off the one at its end.
int ends_nothing(unsigned char) {
    return 0;
}

void take_field(void* text, std::size_t size, void* fields) {
    static_cast<std::vector<CsvField>*>(fields)->push_back({std::string(static_cast<const char*>(text), size)});
}

void take_line(int, void*) {}

}  // namespace

void CsvLine::Freed::operator()(csv_parser* parser) const {
    csv_free(parser);
    delete parser;
}

// After an error there is no other way to make the parser forget it.
void CsvLine::start() {
    parser_.reset();
    auto parser = std::make_unique<csv_parser>();
    if (csv_init(parser.get(), CSV_STRICT | CSV_STRICT_FINI) != 0) {
        throw std::bad_alloc();
    }
    csv_set_delim(parser.get(), static_cast<unsigned char>(separator_));
    csv_set_term_func(parser.get(), ends_nothing);
    parser_.reset(parser.release());
}

std::optional<std::vector<CsvField>> CsvLine::split(std::string_view line) {
    if (!parser_) {
        start();
    }
    std::vector<CsvField> fields;
    std::size_t begin = 0;  // of the field at hand
    const auto place = [&] {
        const std::size_t first = line.find_first_not_of(separator_ == '\t' ? " " : " \t", begin);
        CsvField& field = fields.back();
        field.offset = first == std::string_view::npos || line[first] == separator_ ? begin : first;
        field.quoted = field.offset < line.size() && line[field.offset] == '"';
    };
    for (std::size_t at = 0; at < line.size();) {
        const std::size_t end = std::min(line.find(separator_, at), line.size() - 1) + 1;
        const std::size_t known = fields.size();
        if (csv_parse(parser_.get(), line.data() + at, end - at, take_field, take_line, &fields) != end - at) {
            start();
            return std::nullopt;
        }
        if (fields.size() != known) {
            place();
            begin = end;
        }
        at = end;
    }
    if (csv_fini(parser_.get(), take_field, take_line, &fields) != 0) {
        start();
        return std::nullopt;
    }
    if (!fields.empty()) {
        place();
    }
    return fields;
}

}  // namespace statnat
